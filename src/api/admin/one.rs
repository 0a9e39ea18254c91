//! Commands to one thing that is there: what most of them have in common.

use super::answer::{Failure, Success};
use super::table::Call;
use super::target::Target;
use crate::commands::{Decide, Done, Operation};

/// One command on what it is sent to.
pub(super) async fn execute<A: Decide>(
    call: Call,
    target: impl Target,
    command: A::Command,
) -> Result<Success, Failure>
where
    Failure: From<A::Refusal>,
{
    let id = target.id();
    let desk = call.app.desk();
    let done = desk.execute::<A>(&call.request, &id, command).await?;
    Ok(of(&call, &target, &done))
}

/// An operation on what it is sent to.
pub(super) async fn operate<O>(
    call: Call,
    target: impl Target,
    operation: &O,
) -> Result<Success, Failure>
where
    O: Operation<Outcome = ()>,
    Failure: From<O::Refusal>,
{
    let done = call.app.desk().run(&call.request, operation).await?;
    Ok(of(&call, &target, &done))
}

fn of<T: Target, O>(call: &Call, target: &T, done: &Done<O>) -> Success {
    Success::of::<T, _>(&call.app, &target.id(), done)
}

/// Writes a command without fields.
macro_rules! plain {
    ($(#[$doc:meta])* $name:ident to $target:ty: $aggregate:ty, $command:expr) => {
        $(#[$doc])*
        #[derive(Debug, serde::Deserialize, utoipa::ToSchema)]
        #[serde(deny_unknown_fields)]
        pub(super) struct $name {}

        impl super::table::Fields for $name {
            const NAME: &'static str = stringify!($name);
        }

        impl super::table::StaffCommand for $name {
            type Target = $target;

            async fn run(
                self,
                call: super::table::Call,
                target: $target,
            ) -> Result<super::answer::Success, super::answer::Failure> {
                super::one::execute::<$aggregate>(call, target, $command).await
            }
        }
    };
}

pub(super) use plain;
