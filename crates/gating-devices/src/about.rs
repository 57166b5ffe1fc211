//! What is known of a device.

/// What is known of a device; nothing where its library does not say it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct About {
    /// What it is called by those who made it.
    pub name: String,
    /// The driver or library that runs it, with its version.
    pub driver: Option<String>,
    /// How much memory it has, in bytes.
    pub memory: Option<u64>,
    /// How large one tensor can be, in bytes.
    pub max_tensor: Option<u64>,
    /// Whether it only stands in for a GPU and computes on the processor.
    pub is_software: bool,
}
