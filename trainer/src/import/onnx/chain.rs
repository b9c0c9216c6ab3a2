//! What the nodes have made of the data: points, each of which reads another or an input of the graph.
//!
//! A point is never changed: a node that says more of it (a bias, an activation, that only the last step is wanted) makes
//! another point beside it. What leads to the output is the network in the end; points beside it were on no way to it.

use std::rc::Rc;

use anyhow::{Context, Result, bail, ensure};

use crate::cells::AnyCell;
use crate::layers::{Bidirectional, Kind, MergeMode, Recurrent};

/// Most layers in a row.
const MOST_LAYERS: usize = 256;

/// A layer, and what it reads.
#[derive(Debug)]
pub struct Point {
    /// The node's name.
    pub name: String,
    /// What it was in the file.
    pub origin: String,
    /// What it does.
    pub work: Work,
    /// What it reads.
    pub input: Link,
    /// The number of features that come out.
    pub size: usize,
    /// What its states begin with, as far as that is given from outside.
    pub initial: Vec<Initial>,
    depth: usize,
}

/// An input of the graph that a state begins with, or a piece of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Initial {
    /// `initial_h` or `initial_c`.
    pub state: &'static str,
    /// The input's number.
    pub input: usize,
    /// The piece's, if it is one.
    pub place: Option<usize>,
}

/// What a point does.
#[derive(Debug)]
pub enum Work {
    /// The same with every frame.
    Frames(Rc<Kind<f32>>),
    /// A cell over time.
    Recurrent {
        /// With its weights.
        cell: Rc<AnyCell<f32>>,
        /// Whether from the last frame of its input to the first.
        backwards: bool,
    },
    /// Two of these.
    Both {
        /// The one that goes forwards.
        forward: Rc<Point>,
        /// The one that goes backwards.
        backward: Rc<Point>,
        /// What becomes of their outputs.
        merge: MergeMode,
    },
}

/// What comes out of a point, or into the network.
#[derive(Clone, Debug)]
pub struct Link {
    /// Of which.
    pub from: From,
    /// When.
    pub when: When,
}

/// Whose output it is.
#[derive(Clone, Debug)]
pub enum From {
    /// The graph's, by the number of an input.
    Input(usize),
    /// A layer's.
    Point(Rc<Point>),
}

/// Which frames there are, and in which order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// All, as they are made; or the last first.
    Always {
        /// Whether the last is first.
        turned: bool,
    },
    /// What is there after the last step only.
    Last,
}

/// Why one step of both directions is none of a model's answers.
pub const OF_BOTH: &str = "one step of a bidirectional sequence: there one direction has read all, the other next to nothing; \
                           a model gives all steps, or the final states of both (h_n)";

/// Every frame as it is made.
pub const ALWAYS: When = When::Always { turned: false };

impl From {
    fn depth(&self) -> usize {
        match self {
            Self::Input(_) => 0,
            Self::Point(point) => point.depth,
        }
    }

    /// Whether it is the very same.
    pub fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Input(a), Self::Input(b)) => a == b,
            (Self::Point(a), Self::Point(b)) => Rc::ptr_eq(a, b),
            _ => false,
        }
    }
}

impl Point {
    /// A further layer.
    pub fn new(name: &str, origin: &str, work: Work, input: Link, size: usize) -> Result<Self> {
        let depth = input.from.depth() + 1;
        ensure!(depth <= MOST_LAYERS, "more than {MOST_LAYERS} layers in a row");
        let (name, origin) = (name.to_owned(), origin.to_owned());
        Ok(Self { name, origin, work, input, size, initial: Vec::new(), depth })
    }

    /// The same layer, its states beginning with these.
    pub fn beginning(self, initial: Vec<Initial>) -> Self {
        Self { initial, ..self }
    }

    /// The same layer, reading something else.
    fn reading(&self, input: Link) -> Result<Self> {
        let Work::Frames(kind) = &self.work else { bail!("no layer of frames") };
        Self::new(&self.name, &self.origin, Work::Frames(kind.clone()), input, self.size)
    }

    /// The same layer, doing `kind` instead.
    pub fn doing(&self, kind: Kind<f32>) -> Result<Self> {
        let work = Work::Frames(Rc::new(kind));
        Self::new(&self.name, &self.origin, work, self.input.clone(), self.size)
    }

    /// What it does with frames, if that is all.
    pub fn frames(&self) -> Option<&Kind<f32>> {
        if let Work::Frames(kind) = &self.work { Some(kind) } else { None }
    }

    /// Whether it is a cell that reads from the last frame to the first.
    pub fn goes_backwards(&self) -> bool {
        matches!(self.work, Work::Recurrent { backwards: true, .. })
    }

    /// The layers with states of their own that it is made of.
    pub fn recurrent(self: &Rc<Self>) -> Vec<Rc<Self>> {
        match &self.work {
            Work::Frames(_) => Vec::new(),
            Work::Recurrent { .. } => vec![self.clone()],
            Work::Both { forward, backward, .. } => vec![forward.clone(), backward.clone()],
        }
    }

    /// The layer in our terms, when `when` of it goes on.
    pub fn kind(&self, when: When) -> Result<Kind<f32>> {
        let of = |point: &Self| -> Result<Recurrent<f32>> {
            let Work::Recurrent { cell, backwards } = &point.work else { bail!("no cell") };
            let layer = Recurrent::new(AnyCell::clone(cell), when != When::Last);
            Ok(Recurrent { go_backwards: *backwards, ..layer })
        };
        Ok(match &self.work {
            Work::Frames(kind) => Kind::clone(kind),
            Work::Recurrent { .. } => Kind::Recurrent(of(self)?),
            Work::Both { forward, backward, merge } => Kind::Bidirectional(Bidirectional {
                forward: of(forward)?,
                backward: of(backward)?,
                merge_mode: *merge,
            }),
        })
    }
}

impl Link {
    /// The point, if it is not an input.
    pub fn point(&self) -> Option<&Rc<Point>> {
        if let From::Point(point) = &self.from { Some(point) } else { None }
    }

    /// The same the other way round in time.
    pub fn turned(&self) -> Result<Self> {
        let When::Always { turned } = self.when else { bail!("turned in time, but has no time") };
        Ok(Self { from: self.from.clone(), when: When::Always { turned: !turned } })
    }

    /// Of all frames one at an end: the last, or the first. It must be the one that a recurrent layer makes last; layers of
    /// frames between then meet that one only.
    pub fn at_end(&self, last: bool) -> Result<Self> {
        let mut between = Vec::new();
        let mut link = self;
        let made = loop {
            let From::Point(point) = &link.from else { bail!("one step of the network's input") };
            match &point.work {
                Work::Frames(_) => {
                    between.push(point.clone());
                    link = &point.input;
                }
                Work::Recurrent { .. } => break link,
                Work::Both { .. } => bail!(OF_BOTH),
            }
        };
        match self.when {
            When::Always { turned } if turned == last => {
                bail!("the step that is made first: a model gives all steps, or the one that is made last")
            }
            When::Always { .. } => {}
            When::Last => bail!("one step of what has no time"),
        }
        let mut end = Self { from: made.from.clone(), when: When::Last };
        for point in between.into_iter().rev() {
            end = Self { from: From::Point(Rc::new(point.reading(end)?)), when: When::Last };
        }
        Ok(end)
    }

    /// What comes out of two recurrent layers that read the same in both directions.
    pub fn both(forward: &Self, backward: &Self, merge: MergeMode) -> Result<Self> {
        let unlike = "two tensors that are not the directions of one bidirectional layer";
        let (From::Point(f), From::Point(b)) = (&forward.from, &backward.from) else { bail!(unlike) };
        let goes = |point: &Point, back| matches!(point.work, Work::Recurrent { backwards, .. } if backwards == back);
        let same = f.input.from.is(&b.input.from) && f.input.when == b.input.when;
        ensure!(same && goes(f, false) && goes(b, true), unlike);
        let when = match (forward.when, backward.when) {
            (ALWAYS, When::Always { turned: true }) => ALWAYS,
            (When::Last, When::Last) => When::Last,
            _ => bail!("two directions that are not of the same steps"),
        };
        let size = if merge == MergeMode::Concat { f.size + b.size } else { f.size };
        ensure!(f.size == b.size, "directions of {} and of {} units", f.size, b.size);
        let work = Work::Both { forward: f.clone(), backward: b.clone(), merge };
        let point = Point::new(&f.name, &f.origin, work, f.input.clone(), size)?;
        Ok(Self { from: From::Point(Rc::new(point)), when })
    }

    /// The layers that lead here, the first one first, with what of each goes on; and the input they begin with.
    pub fn way(&self) -> Result<Way> {
        let (mut way, mut link) = (Vec::new(), self);
        loop {
            match &link.from {
                From::Input(input) => {
                    ensure!(
                        link.when == ALWAYS,
                        "{}: reads the input turned in time",
                        way.last().map_or("output", |(point, _): &(Rc<Point>, When)| &point.name)
                    );
                    way.reverse();
                    return Ok(Way { input: *input, layers: way });
                }
                From::Point(point) => {
                    way.push((point.clone(), link.when));
                    link = &point.input;
                }
            }
        }
    }
}

/// The layers from an input of the graph to a link.
#[derive(Debug)]
pub struct Way {
    /// The input's number.
    pub input: usize,
    /// The layers, and what of each goes on.
    pub layers: Vec<(Rc<Point>, When)>,
}

/// The layer's point, for what says more of it.
pub fn point_of(link: &Link) -> Result<&Rc<Point>> {
    link.point().context("the network's input itself")
}
