//! Graphs put together here, in protobuf by hand.

/// One after another.
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

/// An integer.
pub fn int_field(number: u64, value: i64) -> Vec<u8> {
    joined([varint(number << 3), varint(value as u64)])
}

/// Bytes, text or a message.
pub fn bytes_field(number: u64, bytes: &[u8]) -> Vec<u8> {
    joined([varint(number << 3 | 2), varint(bytes.len() as u64), bytes.to_vec()])
}

/// A float.
pub fn float_field(number: u64, value: f32) -> Vec<u8> {
    joined([varint(number << 3 | 5), value.to_le_bytes().to_vec()])
}

/// An attribute: its name, and the field that holds its value.
pub fn attribute(name: &str, value: Vec<u8>) -> Vec<u8> {
    bytes_field(5, &joined([bytes_field(1, name.as_bytes()), value]))
}

/// An integer as attribute.
pub fn int(name: &str, value: i64) -> Vec<u8> {
    attribute(name, int_field(3, value))
}

/// Integers as attribute.
pub fn ints(name: &str, values: &[i64]) -> Vec<u8> {
    attribute(name, joined(values.iter().map(|&value| int_field(8, value))))
}

/// A float as attribute.
pub fn float(name: &str, value: f32) -> Vec<u8> {
    attribute(name, float_field(2, value))
}

/// Floats as attribute.
pub fn floats(name: &str, values: &[f32]) -> Vec<u8> {
    attribute(name, joined(values.iter().map(|&value| float_field(7, value))))
}

/// Text as attribute.
pub fn text(name: &str, value: &str) -> Vec<u8> {
    attribute(name, bytes_field(4, value.as_bytes()))
}

/// Texts as attribute.
pub fn texts(name: &str, values: &[&str]) -> Vec<u8> {
    attribute(name, joined(values.iter().map(|value| bytes_field(9, value.as_bytes()))))
}

/// A tensor of this type, its numbers in `raw_data`.
pub fn tensor(name: &str, shape: &[i64], element: i64, raw: &[u8]) -> Vec<u8> {
    let dims = joined(shape.iter().map(|&len| int_field(1, len)));
    joined([dims, int_field(2, element), bytes_field(8, name.as_bytes()), bytes_field(9, raw)])
}

/// A tensor of f32.
pub fn weights(name: &str, shape: &[i64]) -> Vec<u8> {
    let len = shape.iter().product::<i64>();
    let raw = joined((0..len).map(|k| ((k * 7 % 11 - 5) as f32 / 8.0).to_le_bytes().to_vec()));
    tensor(name, shape, 1, &raw)
}

/// A tensor of INT64.
pub fn places(name: &str, values: &[i64]) -> Vec<u8> {
    tensor(name, &[values.len() as i64], 7, &joined(values.iter().map(|value| value.to_le_bytes().to_vec())))
}

/// A graph in the making.
#[derive(Clone, Default)]
pub struct Graph {
    /// Its fields so far.
    pub fields: Vec<u8>,
}

impl Graph {
    /// A further node; `says` are its attributes.
    pub fn node(mut self, op: &str, inputs: &[&str], outputs: &[&str], says: &[Vec<u8>]) -> Self {
        let names =
            |number, names: &[&str]| joined(names.iter().map(|name| bytes_field(number, name.as_bytes())));
        let node = [names(1, inputs), names(2, outputs), bytes_field(4, op.as_bytes()), says.concat()];
        self.fields.extend(bytes_field(1, &joined(node)));
        self
    }

    /// A constant.
    pub fn initializer(mut self, tensor: Vec<u8>) -> Self {
        self.fields.extend(bytes_field(5, &tensor));
        self
    }

    fn value(number: u64, name: &str, element: i64, shape: &[i64]) -> Vec<u8> {
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

    /// What it is given: f32, lengths below 1 open.
    pub fn input(mut self, name: &str, shape: &[i64]) -> Self {
        self.fields.extend(Self::value(11, name, 1, shape));
        self
    }

    /// Ids that it is given.
    pub fn ids(mut self, name: &str, shape: &[i64]) -> Self {
        self.fields.extend(Self::value(11, name, 7, shape));
        self
    }

    /// What it gives.
    pub fn output(mut self, name: &str) -> Self {
        self.fields.extend(Self::value(12, name, 1, &[]));
        self
    }

    /// The file.
    pub fn file(&self, opset: i64) -> Vec<u8> {
        joined([int_field(1, 8), bytes_field(7, &self.fields), bytes_field(8, &int_field(2, opset))])
    }
}

/// An input X of three features, and weights of an operator with so many gates of two units.
pub fn given(gates: i64) -> Graph {
    Graph::default()
        .input("X", &[0, 0, 3])
        .initializer(weights("W", &[1, gates * 2, 3]))
        .initializer(weights("R", &[1, gates * 2, 2]))
        .initializer(weights("B", &[1, gates * 4]))
}
