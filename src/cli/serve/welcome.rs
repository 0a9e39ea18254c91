//! Where to look, in a frame: for whoever started this by hand. On standard output, so that a password made up here gets into
//! no log.

use std::io::IsTerminal;
use std::net::SocketAddr;

use secrecy::ExposeSecret;
use tracing::info;

use crate::cli::bootstrap::First;
use crate::cli::show;
use crate::ledger::Mark;

/// Where this node listens.
pub struct Places {
    /// The surfaces.
    pub public: SocketAddr,
    /// The operators' listener.
    pub ops: SocketAddr,
}

/// Says where to look: in a frame when `framed` or at a terminal, in the log always.
pub fn say(places: &Places, first: &First, framed: bool) {
    let Places { public, ops } = places;
    info!(listen = %public, ops_listen = %ops, "Listening on {public}, for operators on {ops}");
    if let First::Opened { name } | First::Made { name, .. } = first {
        info!("Opened the first staff account, {name}");
    }
    if framed || std::io::stdout().is_terminal() {
        // Nobody may be reading; the node serves all the same.
        let _ = show::line(&frame(&lines(places, first)));
    }
}

/// The same for a node that answers as of a position.
pub fn say_past(places: &Places, at: &Mark) {
    let Places { public, ops } = places;
    info!(listen = %public, ops_listen = %ops, as_of = %at, "Listening on {public}, for operators on {ops}, as of position {at}");
    if std::io::stdout().is_terminal() {
        let _ = show::line(&frame(&past_lines(places, at)));
    }
}

fn past_lines(Places { public, ops }: &Places, at: &Mark) -> Vec<String> {
    vec![
        format!("shiji 史记 as of position {}, read-only", at.position),
        String::new(),
        format!("API        http://{public}/backend/api/v1"),
        format!("Health     http://{public}/readyz, for operators http://{ops}"),
        "Sessions   those of the service that runs: log in there".to_owned(),
    ]
}

fn lines(Places { public, ops }: &Places, first: &First) -> Vec<String> {
    let mut lines = vec![
        "shiji 史记 is running".to_owned(),
        String::new(),
        format!("API        http://{public}/backend/api/v1"),
        format!("Documents  http://{ops}/docs"),
        format!("Metrics    http://{ops}/metrics"),
        format!("Health     http://{public}/readyz"),
    ];
    let account = match first {
        First::There => "opened at an earlier start".to_owned(),
        First::Nobody => {
            "none: set SHIJI_BOOTSTRAP_STAFF_NAME and _PASSWORD, then start again".to_owned()
        }
        First::Opened { name } => {
            format!("{name}, with the password of SHIJI_BOOTSTRAP_STAFF_PASSWORD")
        }
        First::Made { name, password } => format!(
            "{name}, password {} (kept nowhere: note it now)",
            password.expose_secret()
        ),
    };
    lines.push(format!("Account    {account}"));
    let (name, password) = match first {
        First::There | First::Nobody => ("NAME", "PASSWORD"),
        First::Opened { name } => (name.as_str(), "PASSWORD"),
        First::Made { name, password } => (name.as_str(), password.expose_secret()),
    };
    let body = serde_json::json!({ "name": name, "password": password }).to_string();
    lines.push(String::new());
    lines.push("Log in, then list tasks:".to_owned());
    lines.push(format!(
        "curl -c jar -d '{}' http://{public}/backend/api/v1/login",
        body.replace('\'', r"'\''")
    ));
    lines.push(format!(
        "curl -b jar 'http://{public}/backend/api/v1/tasks?limit=5'"
    ));
    lines
}

fn frame(lines: &[String]) -> String {
    let width = lines.iter().map(|line| columns(line)).max().unwrap_or(0);
    let rule = "─".repeat(width + 2);
    let mut framed = format!("╭{rule}╮\n");
    for line in lines {
        let rest = " ".repeat(width - columns(line));
        framed.extend(["│ ", line, &rest, " │\n"]);
    }
    framed.extend(["╰", &rule, "╯"]);
    framed
}

/// Columns on a terminal: Chinese characters take two.
fn columns(text: &str) -> usize {
    text.chars()
        .map(|c| {
            if matches!(c, '\u{1100}'..='\u{11ff}' | '\u{2e80}'..='\u{ffdc}') {
                2
            } else {
                1
            }
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;

    fn places() -> Places {
        Places {
            public: ([127, 0, 0, 1], 8000).into(),
            ops: ([127, 0, 0, 1], 8001).into(),
        }
    }

    #[test]
    fn a_made_password_is_shown_with_a_line_that_logs_in() {
        let made = First::Made {
            name: "admin".to_owned(),
            password: SecretString::from("abc234"),
        };
        let text = frame(&lines(&places(), &made));
        assert!(text.contains("admin, password abc234"), "{text}");
        assert!(text.contains(r#"-d '{"name":"admin","password":"abc234"}' http://127.0.0.1:8000/backend/api/v1/login"#));
    }

    #[test]
    fn every_line_of_the_frame_is_as_wide() {
        let text = frame(&lines(&places(), &First::There));
        let widths: Vec<usize> = text.lines().map(columns).collect();
        assert!(widths.iter().all(|width| *width == widths[0]), "{text}");
    }
}
