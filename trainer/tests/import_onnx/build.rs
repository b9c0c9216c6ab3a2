//! Graphs assembled by the tests, in hand-written protobuf.

/// Concatenates byte strings.
pub fn joined(parts: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
    parts.into_iter().flatten().collect()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// Encodes a field with an integer.
pub fn int_field(number: u64, value: i64) -> Vec<u8> {
    joined([varint(number << 3), varint(value as u64)])
}

/// Encodes a field with bytes, a string or a message.
pub fn bytes_field(number: u64, bytes: &[u8]) -> Vec<u8> {
    joined([varint(number << 3 | 2), varint(bytes.len() as u64), bytes.to_vec()])
}

/// Encodes a field with a float.
pub fn float_field(number: u64, value: f32) -> Vec<u8> {
    joined([varint(number << 3 | 5), value.to_le_bytes().to_vec()])
}

/// Encodes an attribute: its name, and the field with its value.
pub fn attribute(name: &str, value: Vec<u8>) -> Vec<u8> {
    bytes_field(5, &joined([bytes_field(1, name.as_bytes()), value]))
}

/// Encodes an integer attribute.
pub fn int(name: &str, value: i64) -> Vec<u8> {
    attribute(name, int_field(3, value))
}

/// Encodes an attribute of integers.
pub fn ints(name: &str, values: &[i64]) -> Vec<u8> {
    attribute(name, joined(values.iter().map(|&value| int_field(8, value))))
}

/// Encodes a float attribute.
pub fn float(name: &str, value: f32) -> Vec<u8> {
    attribute(name, float_field(2, value))
}

/// Encodes an attribute of floats.
pub fn floats(name: &str, values: &[f32]) -> Vec<u8> {
    attribute(name, joined(values.iter().map(|&value| float_field(7, value))))
}

/// Encodes a string attribute.
pub fn text(name: &str, value: &str) -> Vec<u8> {
    attribute(name, bytes_field(4, value.as_bytes()))
}

/// Encodes an attribute of strings.
pub fn texts(name: &str, values: &[&str]) -> Vec<u8> {
    attribute(name, joined(values.iter().map(|value| bytes_field(9, value.as_bytes()))))
}

/// Encodes a tensor of this element type, with its values in `raw_data`.
pub fn tensor(name: &str, shape: &[i64], element: i64, raw: &[u8]) -> Vec<u8> {
    let dims = joined(shape.iter().map(|&len| int_field(1, len)));
    joined([dims, int_field(2, element), bytes_field(8, name.as_bytes()), bytes_field(9, raw)])
}

/// Encodes a tensor of f32.
pub fn weights(name: &str, shape: &[i64]) -> Vec<u8> {
    let len = shape.iter().product::<i64>();
    let raw = joined((0..len).map(|k| ((k * 7 % 11 - 5) as f32 / 8.0).to_le_bytes().to_vec()));
    tensor(name, shape, 1, &raw)
}

/// Encodes a tensor of INT64.
pub fn indices(name: &str, values: &[i64]) -> Vec<u8> {
    tensor(name, &[values.len() as i64], 7, &joined(values.iter().map(|value| value.to_le_bytes().to_vec())))
}

/// A graph under construction.
#[derive(Clone, Default)]
pub struct Graph {
    /// The encoded fields so far.
    pub fields: Vec<u8>,
}

impl Graph {
    /// Appends a node.
    pub fn node(mut self, op: &str, inputs: &[&str], outputs: &[&str], attributes: &[Vec<u8>]) -> Self {
        let names =
            |number, names: &[&str]| joined(names.iter().map(|name| bytes_field(number, name.as_bytes())));
        let node = [names(1, inputs), names(2, outputs), bytes_field(4, op.as_bytes()), attributes.concat()];
        self.fields.extend(bytes_field(1, &joined(node)));
        self
    }

    /// Appends an initializer.
    pub fn initializer(mut self, tensor: Vec<u8>) -> Self {
        self.fields.extend(bytes_field(5, &tensor));
        self
    }

    /// Encodes an input, an output or the type of another tensor: field 11, 12 or 13.
    pub fn value(number: u64, name: &str, element: i64, shape: &[i64]) -> Vec<u8> {
        let axes = joined(
            shape
                .iter()
                .map(|&len| bytes_field(1, &if len > 0 { int_field(1, len) } else { bytes_field(2, b"n") })),
        );
        let of_tensor = joined([int_field(1, element), bytes_field(2, &axes)]);
        bytes_field(
            number,
            &joined([bytes_field(1, name.as_bytes()), bytes_field(2, &bytes_field(1, &of_tensor))]),
        )
    }

    /// Appends an f32 input; lengths below 1 are not fixed.
    pub fn input(mut self, name: &str, shape: &[i64]) -> Self {
        self.fields.extend(Self::value(11, name, 1, shape));
        self
    }

    /// Appends an input of ids.
    pub fn ids(mut self, name: &str, shape: &[i64]) -> Self {
        self.fields.extend(Self::value(11, name, 7, shape));
        self
    }

    /// Appends an output.
    pub fn output(mut self, name: &str) -> Self {
        self.fields.extend(Self::value(12, name, 1, &[]));
        self
    }

    /// Returns the bytes of the file.
    pub fn file(&self, opset: i64) -> Vec<u8> {
        joined([int_field(1, 8), bytes_field(7, &self.fields), bytes_field(8, &int_field(2, opset))])
    }
}

/// Returns a graph with an input X of three features, and weights of an operator with this many gates of two
/// units.
pub fn with_weights(gates: i64) -> Graph {
    Graph::default()
        .input("X", &[0, 0, 3])
        .initializer(weights("W", &[1, gates * 2, 3]))
        .initializer(weights("R", &[1, gates * 2, 2]))
        .initializer(weights("B", &[1, gates * 4]))
}
