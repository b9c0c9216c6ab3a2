//! Constants, and what is done to them before anything runs: weights that are cut and put together again, shapes that are
//! computed.

use anyhow::{Context, Result, ensure};

/// Most axes that a tensor may have.
pub const MOST_AXES: usize = 8;

/// An array, the last axis running fastest.
#[derive(Clone, Debug, PartialEq)]
pub struct Array<T> {
    shape: Vec<usize>,
    values: Vec<T>,
}

impl<T: Clone> Array<T> {
    /// Of this shape.
    pub fn new(shape: Vec<usize>, values: Vec<T>) -> Result<Self> {
        ensure!(shape.len() <= MOST_AXES, "{} axes: at most {MOST_AXES} are read", shape.len());
        let len = shape.iter().try_fold(1usize, |len, &axis| len.checked_mul(axis));
        ensure!(len == Some(values.len()), "shape {shape:?} but {} values", values.len());
        Ok(Self { shape, values })
    }

    /// One value without an axis.
    pub fn scalar(value: T) -> Self {
        Self { shape: Vec::new(), values: vec![value] }
    }

    /// Of one axis.
    pub fn vector(values: Vec<T>) -> Self {
        Self { shape: vec![values.len()], values }
    }

    /// Lengths of the axes.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// All values.
    pub fn values(&self) -> &[T] {
        &self.values
    }

    /// The only value, of any number of axes.
    pub fn single(&self) -> Option<&T> {
        if let [value] = &self.values[..] { Some(value) } else { None }
    }

    /// Every value changed.
    pub fn map<U: Clone>(&self, change: impl FnMut(&T) -> U) -> Array<U> {
        Array { shape: self.shape.clone(), values: self.values.iter().map(change).collect() }
    }

    /// The same values in another shape.
    pub fn reshaped(&self, shape: Vec<usize>) -> Result<Self> {
        Self::new(shape, self.values.clone())
    }

    /// Axis `k` becomes what axis `order[k]` was.
    pub fn transposed(&self, order: &[usize]) -> Result<Self> {
        let mut sorted = order.to_vec();
        sorted.sort_unstable();
        ensure!(sorted.iter().copied().eq(0..self.shape.len()), "{order:?} is no order of the axes");
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

    /// Of every axis how far its next value is.
    fn strides(&self) -> Vec<usize> {
        (0..self.shape.len()).map(|axis| self.shape[axis + 1..].iter().product()).collect()
    }

    /// Those of these places along an axis.
    pub fn taken(&self, axis: usize, places: &[usize]) -> Result<Self> {
        let len = *self.shape.get(axis).context("an axis that is not there")?;
        ensure!(places.iter().all(|&place| place < len), "{places:?} of an axis of {len}");
        let run: usize = self.shape[axis + 1..].iter().product();
        let mut shape = self.shape.clone();
        shape[axis] = places.len();
        let mut values = Vec::with_capacity(self.values.len().min(run * places.len()));
        if len * run > 0 {
            for block in self.values.chunks(len * run) {
                places.iter().for_each(|place| values.extend_from_slice(&block[place * run..][..run]));
            }
        }
        Self::new(shape, values)
    }

    /// One after another along an axis.
    pub fn concatenated(arrays: &[&Self], axis: usize) -> Result<Self> {
        let first = arrays.first().context("nothing to put together")?;
        ensure!(axis < first.shape.len(), "an axis that is not there");
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
    fn axes_change_their_places() {
        let turned = counted(&[2, 3]).transposed(&[1, 0]).unwrap();
        assert_eq!((turned.shape(), turned.values()), (&[3, 2][..], &[0, 3, 1, 4, 2, 5][..]));
        let array = counted(&[2, 3, 4]).transposed(&[2, 0, 1]).unwrap();
        assert_eq!((array.shape(), array.values()[7]), (&[4, 2, 3][..], 5));
        assert!(counted(&[2, 3]).transposed(&[0, 0]).is_err());
        assert_eq!(counted(&[0, 3]).transposed(&[1, 0]).unwrap().shape(), [3, 0]);
    }

    #[test]
    fn what_is_cut_is_put_together_again() {
        for axis in 0..3 {
            let whole = counted(&[2, 3, 4]);
            let len = whole.shape()[axis];
            let parts: Vec<_> = (0..len).map(|place| whole.taken(axis, &[place]).unwrap()).collect();
            let parts: Vec<_> = parts.iter().collect();
            assert_eq!(Array::concatenated(&parts, axis).unwrap(), whole);
        }
        assert_eq!(counted(&[2, 2]).taken(1, &[1, 1, 0]).unwrap().values(), [1, 1, 0, 3, 3, 2]);
        assert!(counted(&[2]).taken(0, &[2]).is_err());
        assert!(Array::concatenated(&[&counted(&[2, 2]), &counted(&[2, 3])], 0).is_err());
        assert!(Array::concatenated(&[&counted(&[0, 2]), &counted(&[0, 2])], 1).unwrap().values().is_empty());
    }
}
