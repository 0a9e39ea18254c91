//! What can be asked, the rules that answer, the reasons to refuse.
