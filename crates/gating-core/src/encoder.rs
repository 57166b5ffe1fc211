//! Messages into embeddings: what a gate asks of an encoder.

use std::error;
use std::slice;
use std::sync::{Arc, OnceLock};

use burn::tensor::{DType, Device, Tensor, TensorData, Transaction};
use gating_devices::{DeviceError, guarded};

use crate::Error;

/// Turns messages into embeddings; frozen, so that one message always gives the same one.
pub trait Encoder: Send + Sync {
    /// Which network and weights these are. A checkpoint holds it, and goes on only with an
    /// encoder of the same id.
    fn id(&self) -> &str;

    /// How many numbers an embedding has.
    fn hidden_size(&self) -> usize;

    /// Where embeddings are computed and left.
    fn device(&self) -> &Device;

    /// Encodes several messages, in their order.
    ///
    /// # Errors
    ///
    /// When the encoder has no embedding for one of the messages, or the device fails.
    fn encode_batch(&self, messages: &[&str]) -> Result<Vec<Embedding>, EncodeError>;

    /// Encodes one message.
    ///
    /// # Errors
    ///
    /// As [`Encoder::encode_batch`].
    fn encode(&self, message: &str) -> Result<Embedding, EncodeError> {
        let mut embeddings = self.encode_batch(&[message])?;
        Ok(embeddings.pop().expect("a batch gives one embedding a message"))
    }
}

impl<E: Encoder + ?Sized> Encoder for Box<E> {
    fn id(&self) -> &str {
        (**self).id()
    }

    fn hidden_size(&self) -> usize {
        (**self).hidden_size()
    }

    fn device(&self) -> &Device {
        (**self).device()
    }

    fn encode_batch(&self, messages: &[&str]) -> Result<Vec<Embedding>, EncodeError> {
        (**self).encode_batch(messages)
    }
}

impl<E: Encoder + ?Sized> Encoder for Arc<E> {
    fn id(&self) -> &str {
        (**self).id()
    }

    fn hidden_size(&self) -> usize {
        (**self).hidden_size()
    }

    fn device(&self) -> &Device {
        (**self).device()
    }

    fn encode_batch(&self, messages: &[&str]) -> Result<Vec<Embedding>, EncodeError> {
        (**self).encode_batch(messages)
    }
}

/// What an encoder makes of a message: `[hidden_size]` numbers, on the encoder's device until they
/// are asked for.
#[derive(Clone, Debug)]
pub struct Embedding(Numbers);

#[derive(Clone, Debug)]
enum Numbers {
    OnDevice {
        /// Boxed, since with every backend compiled in, a tensor takes some hundred bytes.
        tensor: Box<Tensor<1>>,
        /// The same numbers, once they were asked for.
        fetched: OnceLock<Arc<[f32]>>,
    },
    OnHost {
        values: Arc<[f32]>,
        device: Device,
    },
}

impl Embedding {
    /// The embedding in this tensor.
    #[must_use]
    pub fn new(tensor: Tensor<1>) -> Self {
        Self(Numbers::OnDevice { tensor: Box::new(tensor), fetched: OnceLock::new() })
    }

    /// The embedding with these numbers.
    #[must_use]
    pub fn from_slice(values: &[f32], device: &Device) -> Self {
        Self::on_host(values.into(), device)
    }

    /// The embedding with numbers that others hold too.
    pub(crate) fn on_host(values: Arc<[f32]>, device: &Device) -> Self {
        Self(Numbers::OnHost { values, device: device.clone() })
    }

    /// How many numbers it has.
    #[must_use]
    pub fn hidden_size(&self) -> usize {
        match &self.0 {
            Numbers::OnDevice { tensor, .. } => tensor.dims()[0],
            Numbers::OnHost { values, .. } => values.len(),
        }
    }

    /// The numbers on the encoder's device.
    #[must_use]
    pub fn tensor(&self) -> Tensor<1> {
        match &self.0 {
            Numbers::OnDevice { tensor, .. } => (**tensor).clone(),
            Numbers::OnHost { values, device } => {
                Tensor::from_data(TensorData::from(&**values), device)
            }
        }
    }

    /// Several embeddings of one size on a device, in f32: `[count, hidden_size]`.
    pub(crate) fn stack(embeddings: &[Self], device: &Device) -> Tensor<2> {
        let on_host = |embedding: &Self| match &embedding.0 {
            Numbers::OnDevice { .. } => None,
            Numbers::OnHost { values, .. } => Some(Arc::clone(values)),
        };
        let values: Option<Vec<_>> = embeddings.iter().map(on_host).collect();
        if let Some(values) = values {
            // They go up together.
            let shape = [values.len(), embeddings.first().map_or(0, Self::hidden_size)];
            return Tensor::from_data(
                TensorData::new(values.concat(), shape),
                (device, DType::F32),
            );
        }
        let tensor = |embedding: &Self| embedding.tensor().to_device(device).cast(DType::F32);
        Tensor::stack(embeddings.iter().map(tensor).collect(), 0)
    }

    /// The numbers, fetched from the device the first time.
    ///
    /// # Errors
    ///
    /// When the device fails.
    pub fn to_vec(&self) -> Result<Vec<f32>, Error> {
        self.numbers().map(|numbers| numbers.to_vec())
    }

    /// The numbers of several embeddings, which are fetched together: each time, a device has to
    /// finish all that it was given.
    ///
    /// # Errors
    ///
    /// When the device fails.
    pub fn to_vecs(embeddings: &[Self]) -> Result<Vec<Vec<f32>>, Error> {
        Self::fetch(embeddings)?;
        embeddings.iter().map(Self::to_vec).collect()
    }

    /// The numbers as others hold them too, fetched from the device the first time.
    pub(crate) fn numbers(&self) -> Result<&Arc<[f32]>, Error> {
        Self::fetch(slice::from_ref(self))?;
        match &self.0 {
            Numbers::OnDevice { fetched, .. } => Ok(fetched.get().expect("it was fetched")),
            Numbers::OnHost { values, .. } => Ok(values),
        }
    }

    /// Fetches the numbers of all that lie on the device alone, together.
    pub(crate) fn fetch<'a>(embeddings: &'a [Self]) -> Result<(), Error> {
        let missing = |embedding: &'a Self| match &embedding.0 {
            Numbers::OnDevice { tensor, fetched } if fetched.get().is_none() => {
                Some((Tensor::clone(tensor), fetched))
            }
            _ => None,
        };
        let (tensors, places): (Vec<Tensor<1>>, Vec<_>) =
            embeddings.iter().filter_map(missing).unzip();
        if tensors.is_empty() {
            return Ok(());
        }
        let together = tensors.into_iter().fold(Transaction::default(), Transaction::register);
        let fetched = guarded(|| together.try_execute())?.map_err(DeviceError::failed)?;
        for (data, place) in fetched.into_iter().zip(places) {
            let numbers = data.try_into_vec_as::<f32>().map_err(DeviceError::failed)?;
            // Another thread may have fetched the same.
            let _ = place.set(numbers.into());
        }
        Ok(())
    }
}

/// Why a message has no embedding: the encoder's own error.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct EncodeError(Box<dyn error::Error + Send + Sync>);

impl EncodeError {
    /// Wraps an encoder's own error, which stays reachable as the source.
    pub fn new(error: impl Into<Box<dyn error::Error + Send + Sync>>) -> Self {
        Self(error.into())
    }

    /// The encoder's own error.
    #[must_use]
    pub fn get(&self) -> &(dyn error::Error + Send + Sync + 'static) {
        &*self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever kind they are of on the device, and whether they are fetched alone or together.
    #[test]
    fn numbers_are_fetched_as_f32() {
        let device = Device::flex();
        // Few digits, which f16 and bf16 hold exactly.
        let numbers = [1.5, -0.25, 3.0];
        for dtype in [DType::F32, DType::F16, DType::BF16] {
            let tensor = Tensor::<1>::from_data(TensorData::from(numbers), &device).cast(dtype);
            let embedding = || Embedding::new(tensor.clone());
            assert_eq!(embedding().tensor().dtype(), dtype);
            assert_eq!(embedding().to_vec().expect("the device works"), numbers, "{dtype:?}");
            let together = [embedding(), Embedding::from_slice(&numbers, &device), embedding()];
            let found = Embedding::to_vecs(&together).expect("the device works");
            assert_eq!(found, [numbers; 3], "{dtype:?}");
            let stacked = Embedding::stack(&together, &device);
            assert_eq!((stacked.dims(), stacked.dtype()), ([3, 3], DType::F32));
        }
    }
}
