//! What an administrator needs and no worker does: the farm is set up, upgraded, looked at and removed.
//!
//! Everything goes by what AWS itself says is there: whatever was interrupted goes on when it is asked
//! for again, from any machine. CloudFormation makes all of it from the one template.

mod advice;
mod code;
mod error;
mod identity;
mod permissions;
mod policy;
mod quota;
mod removal;
mod set_up;
mod stack;
mod stack_events;
mod status;

pub use error::{AccountError, Result};
pub use identity::Identity;
pub use permissions::{Permission, permissions};
pub use policy::{Role, policy};
pub use quota::{Quota, quota, request_quota};
pub use removal::{RemovalEvent, remove};
pub use set_up::{SetUpEvent, SetUpOptions, Step, set_up};
pub use status::{FarmStatus, status};
