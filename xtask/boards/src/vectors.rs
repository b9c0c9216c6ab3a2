//! Test vectors: the sequences that a network processes on a board and on the PC.

/// Values of all vectors together that are enough for a mean of the instructions per step.
const ENOUGH: usize = 200;

/// Sequences in the input type of a dtype. A time step is `input_size` values; steps follow each other
/// without gaps.
pub enum TestVectors {
    /// For i8 models.
    I8(Vec<Vec<i16>>),
    /// For f16 models.
    F16(Vec<Vec<f32>>),
    /// For f32 models.
    F32(Vec<Vec<f32>>),
}

impl TestVectors {
    /// Returns the first `limit` vectors, repeated if their values are too few for a mean.
    pub fn first(self, limit: usize) -> Self {
        match self {
            Self::I8(all) => Self::I8(first(all, limit)),
            Self::F16(all) => Self::F16(first(all, limit)),
            Self::F32(all) => Self::F32(first(all, limit)),
        }
    }

    /// Returns the sequences as bytes.
    pub fn sequences(&self) -> Vec<&[u8]> {
        match self {
            Self::I8(all) => all.iter().map(|sequence| bytemuck::cast_slice(sequence)).collect(),
            Self::F16(all) | Self::F32(all) => {
                all.iter().map(|sequence| bytemuck::cast_slice(sequence)).collect()
            }
        }
    }

    /// Returns the number of values in the longest vector.
    pub fn longest(&self) -> usize {
        let longest = match self {
            Self::I8(all) => all.iter().map(Vec::len).max(),
            Self::F16(all) | Self::F32(all) => all.iter().map(Vec::len).max(),
        };
        longest.unwrap_or(0)
    }
}

fn first<T: Clone>(all: Vec<Vec<T>>, limit: usize) -> Vec<Vec<T>> {
    let (count, mut missing) = (limit.min(all.len()), ENOUGH);
    let is_needed = |(number, vector): &(usize, &Vec<T>)| {
        let is_needed = *number < count || missing > 0;
        missing = missing.saturating_sub(vector.len());
        is_needed
    };
    all.iter().take(limit).cycle().enumerate().take_while(is_needed).map(|(_, x)| x.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_vectors_are_repeated() {
        let firsts = |all: &[usize], limit| -> Vec<usize> {
            let vectors = all.iter().map(|&len| vec![0u8; len]).collect();
            first(vectors, limit).iter().map(Vec::len).collect()
        };
        assert_eq!(firsts(&[150, 40, 30], 2), [150, 40, 150]);
        assert_eq!(firsts(&[300, 40, 30], 2), [300, 40]);
        assert_eq!(firsts(&[], 2), [0usize; 0]);
    }
}
