//! Interfaces of small libraries, as rustdoc tells of them.

use super::*;

/// Lists a library of one file, whose crate has the name of the test.
fn list(name: &str, source: &str) -> Result<String> {
    let folder = workspace::root().join("target/api-tests").join(name);
    fs::create_dir_all(&folder)?;
    let path = folder.join(name).with_extension("rs");
    files::replace(&path, source)?;
    let document = rustdoc::document(&path)?;
    let texts = interfaces(&BTreeMap::from([(name.to_owned(), document)]))?;
    Ok(texts.into_values().collect())
}

#[track_caller]
fn check(name: &str, source: &str, expected: &[&str]) {
    let text = list(name, source).expect("it can be listed");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines, expected, "found:\n{text}");
}

#[test]
fn items_have_the_paths_that_others_use() {
    let source = "
        mod hidden {
            pub struct Scores;
            pub fn unseen(_: Scores) {}
        }
        pub use hidden::Scores;
        pub use std::fmt::Debug as Shown;
        pub mod outer { pub use crate::hidden::Scores as Renamed; }
        pub fn score(scores: &Scores) -> Option<&Scores> { Some(scores) }
    ";
    let expected = [
        "pub mod paths",
        "pub struct paths::Scores;",
        "pub use std::fmt::Debug as paths::Shown",
        "pub mod paths::outer",
        "pub struct paths::outer::Renamed;",
        "pub fn paths::score(scores: &paths::Scores) -> core::option::Option<&paths::Scores>",
    ];
    check("paths", source, &expected);
}

#[test]
fn structs_tell_whether_all_is_public() {
    let source = "
        pub struct A { pub first: u8, pub second: Vec<(u8,)> }
        #[non_exhaustive] pub struct B { pub first: [u8; 2], second: u8 }
        pub struct C<T>(pub T, u8) where T: Clone;
        #[deprecated] pub struct D;
    ";
    let expected = [
        "pub mod structs",
        "pub struct structs::A",
        "pub structs::A::first: u8",
        "pub structs::A::second: alloc::vec::Vec<(u8,)>",
        "#[non_exhaustive] pub struct structs::B { .. }",
        "pub structs::B::first: [u8; 2]",
        "pub struct structs::C<T>(pub T, _) where T: core::clone::Clone",
        "#[deprecated] pub struct structs::D;",
    ];
    check("structs", source, &expected);
}

#[test]
fn enums_have_their_variants() {
    let source = "
        pub enum E { First, #[non_exhaustive] Second { at: u8, of: Box<E> }, Third(u8, &'static str) }
        #[repr(u8)] pub enum F { Seven = 7, #[doc(hidden)] Eight }
    ";
    let expected = [
        "pub mod enums",
        "pub enum enums::E",
        "#[non_exhaustive] pub enums::E::Second { at: u8, of: alloc::boxed::Box<enums::E> }",
        "pub enums::E::First",
        "pub enums::E::Third(u8, &'static str)",
        "pub enum enums::F { .. }",
        "pub enums::F::Seven = 7",
    ];
    check("enums", source, &expected);
}

#[test]
fn functions_have_whole_signatures() {
    let source = "
        pub fn a(f: fn(u8, &str) -> u8, p: *const u8, q: &mut [u8]) -> ! { loop {} }
        pub fn b<'a, T: Clone + 'a, const N: usize>(t: &'a [T; N]) -> impl Iterator<Item = T> + use<'a, T, N> { t.iter().cloned() }
        pub const unsafe extern \"C\" fn c() {}
        pub async fn d(f: &mut (dyn FnMut(u8) -> bool + Send), g: impl for<'a> Fn(&'a u8)) {}
        pub fn e<T>(t: Result<T, <T as std::str::FromStr>::Err>) where T: std::str::FromStr {}
    ";
    let expected = [
        "pub mod functions",
        "pub fn functions::a(f: fn(u8, &str) -> u8, p: *const u8, q: &mut [u8]) -> !",
        "pub fn functions::b<'a, T: core::clone::Clone + 'a, const N: usize>(t: &'a [T; N]) -> impl core::iter::traits::iterator::Iterator<Item = T> + use<'a, T, N>",
        "pub const unsafe extern \"C\" fn functions::c()",
        "pub async fn functions::d(f: &mut (dyn core::ops::function::FnMut(u8) -> bool + core::marker::Send), g: impl for<'a> core::ops::function::Fn(&'a u8))",
        "pub fn functions::e<T>(t: core::result::Result<T, <T as core::str::traits::FromStr>::Err>) where T: core::str::traits::FromStr",
    ];
    check("functions", source, &expected);
}

#[test]
fn methods_stand_with_their_type() {
    let source = "
        #[derive(Clone)] pub struct A<T>(T);
        impl<T: Send> A<T> {
            pub const N: usize = 1;
            pub fn get(&mut self, index: usize) -> Option<&T> where T: Sync { None }
            pub fn into(self: Box<Self>) -> Self { *self }
            pub(crate) fn unseen(self) {}
        }
        impl A<u8> { pub fn new() -> Self { Self(0) } }
        impl<T> IntoIterator for A<T> {
            type Item = T;
            type IntoIter = std::option::IntoIter<T>;
            fn into_iter(self) -> Self::IntoIter { Some(self.0).into_iter() }
        }
    ";
    let expected = [
        "pub mod methods",
        "pub struct methods::A<T>(_)",
        "pub const methods::A<T>::N: usize",
        "pub fn methods::A<T>::get(&mut self, index: usize) -> core::option::Option<&T> where T: core::marker::Send, T: core::marker::Sync",
        "pub fn methods::A<T>::into(self: alloc::boxed::Box<Self>) -> Self where T: core::marker::Send",
        "pub fn methods::A<u8>::new() -> Self",
        "impl<T: core::clone::Clone> core::clone::Clone for methods::A<T>",
        "impl<T> core::iter::traits::collect::IntoIterator for methods::A<T>",
        "type <methods::A<T> as core::iter::traits::collect::IntoIterator>::IntoIter = core::option::IntoIter<T>",
        "type <methods::A<T> as core::iter::traits::collect::IntoIterator>::Item = T",
    ];
    check("methods", source, &expected);
}

#[test]
fn traits_tell_what_must_be_written() {
    let source = "
        pub unsafe trait A<T = u8>: Send where T: Clone {
            type Of<'a>: Iterator<Item = &'a u16> where Self: 'a;
            const N: usize;
            fn required(&self) -> Self::Of<'_>;
            fn provided(self: Box<Self>) where Self: Sized {}
        }
        pub trait B {}
        impl<T: B + ?Sized> B for &T {}
        impl B for u8 {}
    ";
    let expected = [
        "pub mod traits",
        "pub unsafe trait traits::A<T = u8>: core::marker::Send where T: core::clone::Clone",
        "const traits::A::N: usize",
        "fn traits::A::provided(self: alloc::boxed::Box<Self>) where Self: core::marker::Sized { .. }",
        "fn traits::A::required(&self) -> <Self as traits::A>::Of<'_>",
        "type traits::A::Of<'a>: core::iter::traits::iterator::Iterator<Item = &'a u16> where Self: 'a",
        "pub trait traits::B",
        "impl traits::B for u8",
        "impl<T: traits::B + ?core::marker::Sized> traits::B for &T",
    ];
    check("traits", source, &expected);
}

#[test]
fn what_cannot_be_listed_is_an_error() {
    let check = |name: &str, source: &str, expected: &str| {
        let error = list(name, source).expect_err("it cannot be listed");
        assert!(format!("{error:#}").contains(expected), "{error:#}");
    };
    check("glob", "mod a { pub struct A; } pub use a::*;", "`pub use a::*` does not say what");
    check("onion", "pub union U { pub a: u8, pub b: i8 }", "the kind of item `union`");
}

#[test]
fn a_change_is_told_and_written() {
    let folder = workspace::root().join("target/api-tests/kept");
    let _ = fs::remove_dir_all(&folder);
    let texts = |texts: &[(&str, &str)]| -> BTreeMap<String, String> {
        texts.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    };
    let (old, new) = (texts(&[("a", "1\n"), ("b", "2\n")]), texts(&[("a", "3\n"), ("c", "")]));
    let error = check_error(&folder, &old);
    assert_eq!(error.as_deref(), Some("2 interfaces changed: run `cargo xtask api`"));
    write(&folder, &old).expect("the folder is ours");
    assert_eq!(check_error(&folder, &old), None);
    assert!(check_error(&folder, &new).is_some());
    write(&folder, &new).expect("the folder is ours");
    assert_eq!(check_error(&folder, &new), None);
    assert_eq!(kept(&folder).expect("it can be read"), new);
}

fn check_error(folder: &Path, new: &BTreeMap<String, String>) -> Option<String> {
    super::check(folder, new, None).err().map(|error| error.to_string())
}

#[test]
fn the_advice_has_the_features_of_the_check() {
    let folder = workspace::root().join("target/api-tests/advice");
    let new = BTreeMap::from([("a".to_owned(), "1\n".to_owned())]);
    let error = super::check(&folder, &new, Some("wgpu,libtorch")).expect_err("nothing is kept");
    let expected = "run `cargo xtask api --features wgpu,libtorch`";
    assert!(error.to_string().ends_with(expected), "{error}");
}
