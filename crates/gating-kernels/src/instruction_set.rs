//! Which vector instructions the kernels use, chosen while running.

#![expect(unsafe_code, reason = "instructions are enabled after the processor was asked")]

use rten_simd::SimdOp;
use rten_simd::isa::GenericIsa;
#[cfg(target_arch = "x86_64")]
use rten_simd::isa::{Avx2Isa, Avx512Isa};

/// How many f32 the widest registers hold.
pub(crate) const MAX_LANES: usize = 16;

/// A set of vector instructions that this processor has.
///
/// It can only be had from [`InstructionSet::available`] and [`InstructionSet::best`], so that a
/// kernel never meets instructions that are not there.
///
/// # Example
///
/// ```
/// use gating_kernels::InstructionSet;
///
/// let sets = InstructionSet::available();
/// assert_eq!(sets[0], InstructionSet::best());
/// assert_eq!(sets[sets.len() - 1].name(), "portable");
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct InstructionSet(Level);

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Level {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// What the compiler makes of plain code for the target: SSE2 on x86-64, NEON on ARM.
    Portable,
}

impl InstructionSet {
    /// Every set that this processor has, the fastest first. The last one is always the portable
    /// one.
    #[must_use]
    pub fn available() -> Vec<Self> {
        let mut levels = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            levels.extend(Avx512Isa::new().map(|_| Level::Avx512));
            levels.extend(Avx2Isa::new().map(|_| Level::Avx2));
        }
        levels.push(Level::Portable);
        levels.into_iter().map(Self).collect()
    }

    /// The fastest set that this processor has.
    #[must_use]
    pub fn best() -> Self {
        Self::available()[0]
    }

    /// Its name, for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => "avx512",
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => "avx2",
            Level::Portable => "portable",
        }
    }

    /// How many f32 one register holds.
    pub(crate) fn lanes(self) -> usize {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => MAX_LANES,
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => 8,
            Level::Portable => 4,
        }
    }

    /// Runs an operation with these instructions.
    pub(crate) fn run<O: SimdOp>(self, operation: O) -> O::Output {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => avx512(operation),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => avx2(operation),
            Level::Portable => operation.eval(GenericIsa::new()),
        }
    }
}

/// Runs an operation where AVX-512 may be used.
#[cfg(target_arch = "x86_64")]
fn avx512<O: SimdOp>(operation: O) -> O::Output {
    #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,f16c")]
    fn enabled<O: SimdOp>(isa: Avx512Isa, operation: O) -> O::Output {
        operation.eval(isa)
    }
    let isa = Avx512Isa::new().expect("the level is only made where the processor has it");
    // SAFETY: `isa` is only made after asking the processor, and the operating system, for all that
    // the function enables.
    unsafe { enabled(isa, operation) }
}

/// Runs an operation where AVX2 and FMA may be used.
#[cfg(target_arch = "x86_64")]
fn avx2<O: SimdOp>(operation: O) -> O::Output {
    #[target_feature(enable = "avx,avx2,fma,f16c")]
    fn enabled<O: SimdOp>(isa: Avx2Isa, operation: O) -> O::Output {
        operation.eval(isa)
    }
    let isa = Avx2Isa::new().expect("the level is only made where the processor has it");
    // SAFETY: as above; AVX2 comes with AVX.
    unsafe { enabled(isa, operation) }
}
