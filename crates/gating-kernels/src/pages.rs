//! Memory in large pages.

/// Below so many bytes pages make no difference: a large one has 2 MiB on most machines.
const LEAST: usize = 4 << 20;

/// Asks the system to lay these numbers in large pages, where it has some.
///
/// Numbers that are read from end to end come faster then, as no fetch ahead ends at a page. It works
/// for numbers that were not written yet, such as those of `vec![0.0; length]`.
/// Nothing else changes, and nothing happens for few numbers and on other systems than Linux.
///
/// # Example
///
/// ```
/// use gating_kernels::prefer_large_pages;
///
/// let mut numbers = vec![0.0; 4 << 20];
/// prefer_large_pages(&mut numbers);
/// numbers.fill(1.0);
/// assert_eq!(numbers.iter().sum::<f32>(), 4_194_304.0);
/// ```
pub fn prefer_large_pages(numbers: &mut [f32]) {
    if size_of_val(numbers) >= LEAST {
        advise(numbers);
    }
}

#[cfg(all(target_os = "linux", not(miri)))]
#[expect(unsafe_code, reason = "the system knows memory by its address")]
fn advise(numbers: &mut [f32]) {
    // SAFETY: it asks for a number, and has no other effect.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    let Ok(page @ 1..) = usize::try_from(page) else {
        return;
    };
    let before = numbers.as_ptr().addr() % page;
    let first = numbers.as_mut_ptr().wrapping_byte_sub(before);
    // SAFETY: the pages hold these numbers, so that they are there, and advice of this kind changes
    // nothing that is in them. Where the system has no large pages, it refuses, which is as good.
    unsafe {
        libc::madvise(first.cast(), before + size_of_val(numbers), libc::MADV_HUGEPAGE);
    }
}

#[cfg(not(all(target_os = "linux", not(miri))))]
fn advise(_: &mut [f32]) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(not(miri))]
    fn numbers_stay_as_they_are() {
        let mut numbers: Vec<f32> = (0..LEAST / 2).map(|index| index as f32).collect();
        let some = &mut numbers[1..];
        prefer_large_pages(some);
        assert!(some.iter().enumerate().all(|(index, &number)| number == (index + 1) as f32));
        prefer_large_pages(&mut []);
    }

    /// The flag `hg` of a mapping says that large pages were asked for.
    #[test]
    #[cfg(all(target_os = "linux", not(miri)))]
    fn the_system_was_asked() {
        if !std::path::Path::new("/sys/kernel/mm/transparent_hugepage/enabled").exists() {
            eprintln!("skipped: this system has no large pages");
            return;
        }
        let mut numbers = vec![0.0_f32; LEAST];
        prefer_large_pages(&mut numbers);
        let address = numbers.as_ptr().addr() + LEAST;
        let maps = std::fs::read_to_string("/proc/self/smaps").expect("a process knows its own");
        let mut is_within = false;
        let flags = maps.lines().find(|line| {
            let range = line.split(' ').next().and_then(|range| range.split_once('-'));
            let ends =
                range.map(|(first, end)| [first, end].map(|end| usize::from_str_radix(end, 16)));
            if let Some([Ok(first), Ok(end)]) = ends {
                is_within = (first..end).contains(&address);
            }
            is_within && line.starts_with("VmFlags:")
        });
        let flags = flags.expect("the numbers lie in a mapping");
        assert!(flags.split(' ').any(|flag| flag == "hg"), "{flags}");
    }
}
