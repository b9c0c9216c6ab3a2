use super::*;

/// Compares with values by hand: at the first update the bias corrections cancel the weights of the
/// moments, so the step is `rate * g / (|g| + epsilon / sqrt(1 - b2))`.
#[test]
fn first_updates_follow_keras() {
    let mut w = Matrix::from_vec(2, 1, vec![1.0f64, -2.0]);
    let mut moments = Moments::new(&[&w]);
    let adam = Update { rule: Rule::Adam, weight_decay: 0.0 };
    adam.apply(&mut moments, vec![&mut w], &[Matrix::from_vec(2, 1, vec![0.5, -1e-6])], 0.1);
    let step = |g: f64| 0.1 * g / (g.abs() + 1e-7 / 0.001f64.sqrt());
    assert!((w[0] - (1.0 - step(0.5))).abs() < 1e-12);
    assert!((w[1] - (-2.0 - step(-1e-6))).abs() < 1e-12);
    adam.apply(&mut moments, vec![&mut w], &[Matrix::from_vec(2, 1, vec![-0.25, 0.0])], 0.1);
    let (m, v): (f64, f64) = (0.9 * 0.05 - 0.025, 0.999 * 0.00025 + 0.001 * 0.0625);
    let second = 0.1 * (1.0 - 0.999f64.powi(2)).sqrt() / (1.0 - 0.81) * m / (v.sqrt() + 1e-7);
    assert!((w[0] - (1.0 - step(0.5) - second)).abs() < 1e-12);
}

#[test]
fn clipping_shortens_to_the_limit_and_no_further() {
    let gradients = || vec![Matrix::from_vec(1, 2, vec![3.0f64, 4.0]), Matrix::from_vec(1, 1, vec![12.0])];
    let clipped = |clipping: Clipping| {
        let mut gradients = gradients();
        clipping.apply(&mut gradients);
        gradients
    };
    let each = clipped(Clipping { clipnorm: Some(10.0), ..Clipping::default() });
    assert_eq!((each[0][0], each[1][0]), (3.0, 10.0));
    let whole = clipped(Clipping { global_clipnorm: Some(6.5), ..Clipping::default() });
    assert_eq!((whole[0][0], whole[0][1], whole[1][0]), (1.5, 2.0, 6.0));
    assert_eq!(clipped(Clipping { global_clipnorm: Some(13.0), ..Clipping::default() }), gradients());
}

/// The weights after each of three updates at a rate of 0.1, from Keras 3.15, made by
/// `trainer/tests/keras/make_optimizers.py`.
const KERAS: [(&str, Update, [[f64; 3]; 3]); 8] = [
    (
        "adam",
        Update { rule: Rule::Adam, weight_decay: 0.0 },
        [
            [0.9000013000, -1.9003158964, 0.4000019325],
            [0.8733679242, -1.8335218443, 0.3082247989],
            [0.8393254236, -1.8973767990, 0.2824346770],
        ],
    ),
    (
        "adam_decay",
        Update { rule: Rule::Adam, weight_decay: 0.05 },
        [
            [0.8950012999, -1.8903158962, 0.3975019324],
            [0.8638929175, -1.8140702645, 0.3037372892],
            [0.8255309523, -1.8688548678, 0.2764284808],
        ],
    ),
    (
        "adamw",
        Update { rule: Rule::Adam, weight_decay: 0.004 },
        [
            [0.8996013000, -1.8995158963, 0.3998019325],
            [0.8726080836, -1.8319620378, 0.3078648781],
            [0.8382165398, -1.8950842077, 0.2819516103],
        ],
    ),
    (
        "sgd",
        Update { rule: Rule::Sgd { momentum: 0.0, nesterov: false }, weight_decay: 0.0 },
        [
            [0.9500000000, -1.9999000000, 0.4750000000],
            [0.9750000000, -1.9999000000, 0.4000000000],
            [0.9625000000, -2.1999000000, 0.4500000000],
        ],
    ),
    (
        "sgd_momentum",
        Update { rule: Rule::Sgd { momentum: 0.9, nesterov: false }, weight_decay: 0.0 },
        [
            [0.9500000000, -1.9999000000, 0.4750000000],
            [0.9300000012, -1.9998100000, 0.3775000006],
            [0.8995000027, -2.1997290000, 0.3397500035],
        ],
    ),
    (
        "sgd_nesterov_decay",
        Update { rule: Rule::Sgd { momentum: 0.9, nesterov: true }, weight_decay: 0.05 },
        [
            [0.9000000011, -1.9898099999, 0.4500000006],
            [0.9025000026, -1.9797799497, 0.2850000034],
            [0.8580375046, -2.3498081451, 0.2996000068],
        ],
    ),
    (
        "rmsprop",
        Update { rule: Rule::Rmsprop { rho: 0.9, momentum: 0.0 }, weight_decay: 0.0 },
        [
            [0.6837728664, -1.7763932023, 0.1837747638],
            [0.8312145662, -1.7763932023, -0.1177363372],
            [0.7557510646, -2.0926208967, 0.0582855227],
        ],
    ),
    (
        "rmsprop_momentum",
        Update { rule: Rule::Rmsprop { rho: 0.8, momentum: 0.5 }, weight_decay: 0.0 },
        [
            [0.7763934259, -1.8174258142, 0.2763940967],
            [0.7736989800, -1.7261387212, -0.0496944818],
            [0.7135079281, -1.9041019407, -0.0827700037],
        ],
    ),
];

/// Keras keeps its constants in f32, of which `1 - beta_2` has the largest error: 1.3e-5, which the square
/// root halves, of a step of 0.1. In the other rules, `1 - rho` has the largest.
#[test]
fn three_updates_are_those_of_keras() {
    const GRADIENTS: [[f64; 3]; 3] = [[0.5, -1e-3, 0.25], [-0.25, 0.0, 0.75], [0.125, 2.0, -0.5]];
    for (name, update, expected) in KERAS {
        let bound = if update.rule == Rule::Adam { 2e-6 } else { 1e-7 };
        let mut w = Matrix::from_vec(3, 1, vec![1.0f64, -2.0, 0.5]);
        let mut moments = Moments::new(&[&w]);
        for (gradient, expected) in GRADIENTS.iter().zip(expected) {
            let gradient = Matrix::from_column_slice(3, 1, gradient);
            update.apply(&mut moments, vec![&mut w], &[gradient], 0.1);
            for (found, expected) in w.iter().zip(expected) {
                assert!((found - expected).abs() < bound, "{name}: {found}, but Keras has {expected}");
            }
        }
    }
}

#[test]
fn the_norm_of_all_gradients_is_that_of_one_vector() {
    let values: Vec<f64> = (1..=21).map(f64::from).collect();
    let norm = values.iter().map(|value| value * value).sum::<f64>().sqrt();
    let gradients =
        [Matrix::from_column_slice(19, 1, &values[..19]), Matrix::from_column_slice(1, 2, &values[19..])];
    assert!((global_norm(&gradients) - norm).abs() < 1e-12);
}
