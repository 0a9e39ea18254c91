//! The people of the data set.

/// Permission bits (contract README, section 4).
const TASKS: u64 = 1;
const MEDIA: u64 = 2;
const STAFF: u64 = 256;

/// One of them.
#[derive(Debug, Clone, Copy)]
pub struct Member {
    /// The name they are shown under.
    pub name: &'static str,
    /// 0 operator, 1 super administrator.
    pub role: u32,
    /// Permission bits.
    pub perm: u64,
    /// No longer with the house: opened, then disabled.
    pub left: bool,
}

const fn operator(name: &'static str, perm: u64) -> Member {
    Member {
        name,
        role: 0,
        perm,
        left: false,
    }
}

/// Everybody. Only ever extended at the end: who did what follows from the order.
pub const EVERYBODY: [Member; 12] = [
    Member {
        name: "王芳",
        role: 1,
        perm: 0,
        left: false,
    },
    operator("李伟", TASKS | MEDIA | STAFF),
    operator("张敏", TASKS | MEDIA),
    operator("刘洋", TASKS | MEDIA),
    operator("陈静", TASKS),
    operator("杨磊", TASKS),
    operator("赵丽娜", TASKS),
    operator("黄志强", TASKS),
    operator("周晓燕", MEDIA),
    operator("吴桐", 0),
    operator("徐若曦", 0),
    Member {
        left: true,
        ..operator("孙浩然", TASKS)
    },
];

/// Who may take tasks up, as places in [`EVERYBODY`].
pub const WORKERS: [usize; 7] = [1, 2, 3, 4, 5, 6, 7];
