//! Random jobs against a ledger that fits on a page.

use std::collections::{BTreeSet, HashMap};

use proptest::collection::vec;
use proptest::prelude::*;
use shiji::ledger::{AppendError, Expected, Verdict};

use super::*;

/// What a job does to one of a few streams, the version given by how far it is off.
#[derive(Clone, Debug)]
struct Touch {
    stream: usize,
    off: Option<i64>,
    events: usize,
}

#[derive(Clone, Debug)]
struct Plan {
    writes: Vec<Touch>,
    guards: Vec<Touch>,
    receipt: Option<(u8, u8)>,
}

fn touch(blind: bool) -> impl Strategy<Value = Touch> {
    let exact = prop_oneof![8 => Just(Some(0)), 1 => Just(Some(-1)), 1 => Just(Some(1))];
    let off = if blind {
        prop_oneof![3 => exact, 1 => Just(None)].boxed()
    } else {
        exact.boxed()
    };
    (0..4_usize, off, 1..3_usize).prop_map(|(stream, off, events)| Touch {
        stream,
        off,
        events,
    })
}

fn plan() -> impl Strategy<Value = Plan> {
    (
        vec(touch(true), 0..3),
        vec(touch(false), 0..3),
        proptest::option::weighted(0.4, (0..3_u8, 0..2_u8)),
    )
        .prop_map(|(writes, guards, receipt)| Plan {
            writes,
            guards,
            receipt,
        })
}

/// The ledger on a page.
#[derive(Default)]
struct Model {
    head: i64,
    versions: HashMap<usize, i64>,
    receipts: HashMap<u8, (u8, i64)>,
}

impl Model {
    fn version(&self, stream: usize) -> i64 {
        self.versions.get(&stream).copied().unwrap_or(0)
    }

    /// What the log should say: a digest and position of before, or a position, or no.
    fn append(&mut self, plan: &Plan) -> Result<Result<i64, (u8, i64)>, ()> {
        if let Some(first) = plan.receipt.and_then(|(key, _)| self.receipts.get(&key)) {
            return Ok(Err(*first));
        }
        if plan
            .writes
            .iter()
            .chain(&plan.guards)
            .any(|touch| touch.off.unwrap_or(0) != 0)
        {
            return Err(());
        }
        for write in &plan.writes {
            let added = i64::try_from(write.events).unwrap();
            self.head += added;
            *self.versions.entry(write.stream).or_default() += added;
        }
        if let Some((key, digest)) = plan.receipt {
            self.receipts.insert(key, (digest, self.head));
        }
        Ok(Ok(self.head))
    }
}

async fn check(ledger: &Ledger, plans: Vec<Plan>) {
    let case = Uuid::new_v4();
    let name = |number: usize| format!("{case}-{number}");
    let mut model = Model {
        head: ledger.head().await.unwrap().position,
        ..Model::default()
    };
    for mut plan in plans {
        let mut named = BTreeSet::new();
        plan.writes.retain(|write| named.insert(write.stream));
        let job = Append {
            streams: plan
                .writes
                .iter()
                .map(|write| StreamWrite {
                    stream: stream(&name(write.stream)),
                    expected: write.off.map_or(Expected::Any, |off| {
                        Expected::Exact(model.version(write.stream) + off)
                    }),
                    events: (0..write.events).map(|_| noted("x")).collect(),
                })
                .collect(),
            guards: plan
                .guards
                .iter()
                .map(|guard| {
                    (
                        stream(&name(guard.stream)),
                        model.version(guard.stream) + guard.off.unwrap(),
                    )
                })
                .collect(),
            metadata: metadata(),
            receipt: plan.receipt.map(|(key, digest)| {
                let mut receipt = receipt(key, digest, "outcome");
                receipt.key[..16].copy_from_slice(case.as_bytes());
                receipt
            }),
            deadline: soon(),
        };
        let said = match ledger.append(job).await {
            Ok(Verdict::Appended(appended)) => Ok(Ok(appended.position)),
            Ok(Verdict::Repeated {
                digest, position, ..
            }) => Ok(Err((digest[0], position))),
            Err(AppendError::Stale) => Err(()),
            Err(other) => panic!("{other:?}"),
        };
        assert_eq!(said, model.append(&plan), "{plan:?}");
    }
    for number in 0..4 {
        assert_eq!(
            i64::try_from(version(ledger, &name(number)).await).unwrap(),
            model.version(number)
        );
    }
    assert_eq!(ledger.head().await.unwrap().position, model.head);
}

#[test]
fn the_log_says_what_a_ledger_on_a_page_would_say() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (_test, ledger) = runtime.block_on(async {
        let test = TestDatabase::create().await;
        let ledger = node(&test).await;
        (test, ledger)
    });
    proptest!(ProptestConfig { cases: 24, max_shrink_iters: 50, ..ProptestConfig::default() }, |(plans in vec(plan(), 1..24))| {
        runtime.block_on(check(&ledger, plans));
    });
    runtime.block_on(assert_sound(&ledger));
}
