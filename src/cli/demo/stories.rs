//! The tasks of the data set: each a story that follows from seed and number alone.

use super::dice::Dice;
use super::{staff, words};
use crate::commands::Decide;
use crate::commands::task::TaskCommand;
use crate::events::{Task, TaskKind, TaskStatus};
use crate::ledger::State;

/// One task: who asked for it, and what became of it.
#[derive(Debug)]
pub struct Story {
    /// Its number in the data set.
    pub number: u32,
    /// What happens, in order. The first step creates it.
    pub steps: Vec<Step>,
}

/// One command of a story.
#[derive(Debug)]
pub struct Step {
    /// Who sends it, as a place in [`staff::EVERYBODY`].
    pub by: usize,
    /// What.
    pub what: What,
    /// How many events come of it.
    pub events: i64,
}

/// What is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Ask for the task; the sender becomes its user.
    Create {
        /// What it works on.
        kind: TaskKind,
        /// Its urgency.
        priority: i8,
        /// What to work on.
        input: String,
        /// A remark.
        note: String,
    },
    /// Anything else.
    Then(TaskCommand),
}

impl What {
    /// The command, sent by the account `uid`.
    pub fn command(&self, uid: i64) -> TaskCommand {
        match self {
            Self::Create {
                kind,
                priority,
                input,
                note,
            } => TaskCommand::Create {
                kind: *kind,
                priority: *priority,
                input: input.clone(),
                note: note.clone(),
                created_by: uid,
            },
            Self::Then(command) => command.clone(),
        }
    }
}

/// Tells a story. The rules of tasks are asked at every step, so that it holds.
pub fn tell(seed: u64, number: u32) -> Story {
    let mut teller = Teller {
        dice: Dice::new(seed, number.into()),
        task: Task::default(),
        steps: Vec::new(),
    };
    teller.tell();
    Story {
        number,
        steps: teller.steps,
    }
}

struct Teller {
    dice: Dice,
    task: Task,
    steps: Vec<Step>,
}

impl Teller {
    fn tell(&mut self) {
        let asks = usize::try_from(self.dice.below(11)).unwrap_or(0);
        let kind = if self.dice.percent(65) {
            TaskKind::Image
        } else {
            TaskKind::Video
        };
        let create = self.create(kind);
        self.step(asks, create);
        if self.dice.percent(18) {
            self.edit(asks);
        }
        if self.dice.percent(22) {
            return self.perhaps_delete(asks);
        }
        if self.dice.percent(9) {
            self.step(asks, What::Then(TaskCommand::Cancel));
            return self.perhaps_delete(asks);
        }
        let mut works = self.worker();
        self.step(works, What::Then(TaskCommand::Start));
        if self.dice.percent(10) {
            self.step(works, What::Then(TaskCommand::Requeue));
            works = self.worker();
            self.step(works, What::Then(TaskCommand::Start));
        }
        if self.dice.percent(12) {
            self.edit(asks);
        }
        match self.dice.below(100) {
            // Still being worked on.
            0..16 => {}
            16..22 => self.step(works, What::Then(TaskCommand::Cancel)),
            _ => {
                let result = self.dice.percent(85).then(|| self.result(kind));
                self.step(works, What::Then(TaskCommand::Complete { result }));
            }
        }
        self.perhaps_delete(asks);
    }

    fn create(&mut self, kind: TaskKind) -> What {
        let work = match kind {
            TaskKind::Image => self.dice.pick(&words::PICTURE_WORK),
            TaskKind::Video => self.dice.pick(&words::VIDEO_WORK),
        };
        let subject = self.dice.pick(&words::SUBJECTS);
        let number = self.dice.below(9000) + 1000;
        let input = format!("{subject} SKU-{number}:{work}");
        let note = if self.dice.percent(60) {
            self.dice.pick(&words::NOTES)
        } else {
            ""
        };
        What::Create {
            kind,
            priority: self.priority(),
            input,
            note: note.to_owned(),
        }
    }

    /// Mostly 0; seldom very urgent, seldom something for a quiet day.
    fn priority(&mut self) -> i8 {
        match self.dice.below(100) {
            0..70 => 0,
            70..90 => i8::try_from(self.dice.below(10)).unwrap_or(0) + 1,
            90..96 => i8::try_from(self.dice.below(50)).unwrap_or(0) + 50,
            _ => -(i8::try_from(self.dice.below(20)).unwrap_or(0) + 1),
        }
    }

    fn edit(&mut self, by: usize) {
        let note = Some(self.dice.pick(&words::LATER_NOTES).to_owned());
        let priority = self.dice.percent(40).then(|| self.priority());
        self.step(by, What::Then(TaskCommand::Edit { note, priority }));
    }

    fn result(&mut self, kind: TaskKind) -> String {
        match kind {
            TaskKind::Image => self.dice.pick(&words::PICTURE_RESULTS).to_owned(),
            TaskKind::Video => self.dice.pick(&words::VIDEO_RESULTS).to_owned(),
        }
    }

    fn worker(&mut self) -> usize {
        let place = self
            .dice
            .below(u32::try_from(staff::WORKERS.len()).unwrap_or(1));
        staff::WORKERS[place as usize]
    }

    fn perhaps_delete(&mut self, by: usize) {
        let processing = matches!(
            self.task,
            Task::Live {
                status: TaskStatus::Processing,
                ..
            }
        );
        if self.dice.percent(7) && !processing {
            self.step(by, What::Then(TaskCommand::Delete));
        }
    }

    /// Adds a step, unless the rules have nothing to record for it.
    fn step(&mut self, by: usize, what: What) {
        let events = self.task.decide(&what.command(0)).unwrap_or_default();
        if events.is_empty() {
            return;
        }
        for event in &events {
            self.task.apply(event);
        }
        let events = i64::try_from(events.len()).unwrap_or(0);
        self.steps.push(Step { by, what, events });
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn ends(stories: u32) -> BTreeMap<&'static str, u32> {
        let mut ends = BTreeMap::new();
        for number in 0..stories {
            let mut task = Task::default();
            for step in tell(1, number).steps {
                let events = task.decide(&step.what.command(7)).unwrap();
                assert_eq!(i64::try_from(events.len()).unwrap(), step.events);
                for event in &events {
                    task.apply(event);
                }
            }
            let end = match task {
                Task::Uncreated => "uncreated",
                Task::Deleted => "deleted",
                Task::Live { status, .. } => match status {
                    TaskStatus::Waiting => "waiting",
                    TaskStatus::Processing => "processing",
                    TaskStatus::Done => "done",
                    TaskStatus::Cancelled => "cancelled",
                },
            };
            *ends.entry(end).or_default() += 1;
        }
        ends
    }

    #[test]
    fn every_story_holds_and_every_end_occurs() {
        let ends = ends(2_000);
        for end in ["waiting", "processing", "done", "cancelled", "deleted"] {
            assert!(ends.get(end).is_some_and(|count| *count > 60), "{ends:?}");
        }
        assert!(!ends.contains_key("uncreated"));
    }

    #[test]
    fn a_story_follows_from_seed_and_number_alone() {
        let steps = |seed, number| format!("{:?}", tell(seed, number).steps);
        assert_eq!(steps(5, 17), steps(5, 17));
        assert_ne!(steps(5, 17), steps(6, 17));
        assert_ne!(steps(5, 17), steps(5, 18));
    }
}
