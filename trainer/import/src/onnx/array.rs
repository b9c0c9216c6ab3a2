//! Constant arrays, and what exporters do with them before the network runs: weights are sliced and
//! concatenated, shapes are computed.

use anyhow::{Context, Result, ensure};

/// The maximum number of axes of a tensor.
pub const MAX_AXES: usize = 8;

/// An array in row-major order.
#[derive(Clone, Debug, PartialEq)]
pub struct Array<T> {
    shape: Vec<usize>,
    values: Vec<T>,
}

impl<T: Clone> Array<T> {
    /// Creates an array of this shape.
    ///
    /// # Errors
    /// Too many axes, or another number of values than the shape has.
    pub fn new(shape: Vec<usize>, values: Vec<T>) -> Result<Self> {
        ensure!(shape.len() <= MAX_AXES, "{} axes: at most {MAX_AXES} are supported", shape.len());
        let len = shape.iter().try_fold(1usize, |len, &axis| len.checked_mul(axis));
        ensure!(len == Some(values.len()), "shape {shape:?} but {} values", values.len());
        Ok(Self { shape, values })
    }

    /// Creates an array of one value and no axis.
    pub fn scalar(value: T) -> Self {
        Self { shape: Vec::new(), values: vec![value] }
    }

    /// Creates an array of one axis.
    pub fn vector(values: Vec<T>) -> Self {
        Self { shape: vec![values.len()], values }
    }

    /// Returns the lengths of the axes.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Returns all values.
    pub fn values(&self) -> &[T] {
        &self.values
    }

    /// Returns the only value, if there is exactly one, whatever the number of axes.
    pub fn single(&self) -> Option<&T> {
        if let [value] = &self.values[..] { Some(value) } else { None }
    }

    /// Returns the array with every value mapped.
    pub fn map<U: Clone>(&self, change: impl FnMut(&T) -> U) -> Array<U> {
        Array { shape: self.shape.clone(), values: self.values.iter().map(change).collect() }
    }

    /// Returns the same values in another shape.
    ///
    /// # Errors
    /// A shape of another number of values.
    pub fn reshaped(&self, shape: Vec<usize>) -> Result<Self> {
        Self::new(shape, self.values.clone())
    }

    /// Returns the array with its axes permuted: axis `k` of the result is axis `order[k]` of this array.
    ///
    /// # Errors
    /// An order that is not a permutation of the axes.
    pub fn transposed(&self, order: &[usize]) -> Result<Self> {
        let mut sorted = order.to_vec();
        sorted.sort_unstable();
        ensure!(sorted.iter().copied().eq(0..self.shape.len()), "{order:?} is not a permutation of the axes");
        let strides = self.strides();
        let shape: Vec<usize> = order.iter().map(|&axis| self.shape[axis]).collect();
        let strides: Vec<usize> = order.iter().map(|&axis| strides[axis]).collect();
        let place = |mut index: usize| {
            let axes = shape.iter().zip(&strides).rev();
            axes.fold(0, |place, (&len, &stride)| {
                let at = index % len;
                index /= len;
                place + at * stride
            })
        };
        let values = (0..self.values.len()).map(|index| self.values[place(index)].clone()).collect();
        Self::new(shape.clone(), values)
    }

    /// Returns per axis the distance between consecutive values.
    fn strides(&self) -> Vec<usize> {
        (0..self.shape.len()).map(|axis| self.shape[axis + 1..].iter().product()).collect()
    }

    /// Returns the values at these indices along an axis.
    ///
    /// # Errors
    /// An axis or an index out of range.
    pub fn taken(&self, axis: usize, indices: &[usize]) -> Result<Self> {
        let len = *self.shape.get(axis).context("axis out of range")?;
        ensure!(indices.iter().all(|&index| index < len), "indices {indices:?} of an axis of length {len}");
        let run: usize = self.shape[axis + 1..].iter().product();
        let mut shape = self.shape.clone();
        shape[axis] = indices.len();
        let mut values = Vec::with_capacity(self.values.len().min(run * indices.len()));
        if len * run > 0 {
            for block in self.values.chunks(len * run) {
                indices.iter().for_each(|index| values.extend_from_slice(&block[index * run..][..run]));
            }
        }
        Self::new(shape, values)
    }

    /// Concatenates arrays along an axis.
    ///
    /// # Errors
    /// No arrays, or shapes that differ along another axis.
    pub fn concatenated(arrays: &[&Self], axis: usize) -> Result<Self> {
        let first = arrays.first().context("nothing to concatenate")?;
        ensure!(axis < first.shape.len(), "axis out of range");
        let mut shape = first.shape.clone();
        shape[axis] = arrays.iter().map(|array| array.shape.get(axis).copied().unwrap_or_default()).sum();
        for array in arrays {
            let mut own = array.shape.clone();
            ensure!(own.len() == shape.len(), "shapes {:?} and {:?}", first.shape, array.shape);
            own[axis] = shape[axis];
            ensure!(own == shape, "shapes {:?} and {:?}", first.shape, array.shape);
        }
        let blocks: usize = shape[..axis].iter().product();
        let mut values = Vec::new();
        for block in 0..blocks {
            for array in arrays {
                let run = array.values.len() / blocks;
                values.extend_from_slice(&array.values[block * run..][..run]);
            }
        }
        Self::new(shape, values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(shape: &[usize]) -> Array<usize> {
        Array::new(shape.to_vec(), (0..shape.iter().product()).collect()).unwrap()
    }

    #[test]
    fn axes_are_permuted() {
        let transposed = counted(&[2, 3]).transposed(&[1, 0]).unwrap();
        assert_eq!((transposed.shape(), transposed.values()), (&[3, 2][..], &[0, 3, 1, 4, 2, 5][..]));
        let array = counted(&[2, 3, 4]).transposed(&[2, 0, 1]).unwrap();
        assert_eq!((array.shape(), array.values()[7]), (&[4, 2, 3][..], 5));
        assert!(counted(&[2, 3]).transposed(&[0, 0]).is_err());
        assert_eq!(counted(&[0, 3]).transposed(&[1, 0]).unwrap().shape(), [3, 0]);
    }

    #[test]
    fn concatenation_undoes_taking() {
        for axis in 0..3 {
            let whole = counted(&[2, 3, 4]);
            let len = whole.shape()[axis];
            let parts: Vec<_> = (0..len).map(|index| whole.taken(axis, &[index]).unwrap()).collect();
            let parts: Vec<_> = parts.iter().collect();
            assert_eq!(Array::concatenated(&parts, axis).unwrap(), whole);
        }
        assert_eq!(counted(&[2, 2]).taken(1, &[1, 1, 0]).unwrap().values(), [1, 1, 0, 3, 3, 2]);
        assert!(counted(&[2]).taken(0, &[2]).is_err());
        assert!(Array::concatenated(&[&counted(&[2, 2]), &counted(&[2, 3])], 0).is_err());
        assert!(Array::concatenated(&[&counted(&[0, 2]), &counted(&[0, 2])], 1).unwrap().values().is_empty());
    }
}
