//! An SMS centre that is not ours: the npm package `smpp` in a process of its
//! own, which ends with this. It keeps what customers' telephones got and, when
//! asked, reports it delivered.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use crate::process::{Failure, eventually};

const PATIENCE: Duration = Duration::from_secs(20);
/// SMPP 3.4 allows passwords of eight characters.
const PASSWORD: &str = "geheim";
/// The centre answers in hexadecimal digits and reports in decimal ones, which
/// are told apart from each other where numbers are as long as real ones.
const FIRST_MESSAGE: &str = "730000000";

/// A text as a telephone shows it, its parts put together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Text {
    pub to: String,
    pub words: String,
    /// How the centre names it in a receipt: by its last part.
    id: String,
}

pub struct SmsCentre {
    pub port: u16,
    got: Arc<Mutex<Vec<Value>>>,
    orders: ChildStdin,
    /// How many texts have been reported delivered.
    reported: usize,
    process: Child,
}

impl SmsCentre {
    pub async fn start() -> Result<Self, Failure> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        if !root.join("../ui/node_modules/smpp").is_dir() {
            let missing = "the npm package smpp is missing: run `npm ci` in ui/";
            return Err(Failure::Said(missing.to_owned()));
        }
        let mut process = Command::new("node")
            .arg(root.join("smpp/server.mjs"))
            .args([PASSWORD, FIRST_MESSAGE])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(Failure::io("the SMS centre"))?;
        let (Some(orders), Some(told)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(Failure::Said("the SMS centre has no pipes".to_owned()));
        };
        let got = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&got);
        std::thread::spawn(move || {
            for line in BufReader::new(told).lines().map_while(Result::ok) {
                if let Ok(line) = serde_json::from_str(&line) {
                    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                    kept.push(line);
                }
            }
        });
        let mut centre = Self {
            port: 0,
            got,
            orders,
            reported: 0,
            process,
        };
        centre.port = eventually("the SMS centre listens", PATIENCE, || async {
            let listening = centre.lines("listening");
            let port = listening.first().and_then(|line| line["port"].as_u64());
            Ok(port.and_then(|port| u16::try_from(port).ok()))
        })
        .await?;
        Ok(centre)
    }

    pub fn password(&self) -> &'static str {
        PASSWORD
    }

    /// Every text that was taken whole, the oldest first.
    pub fn texts(&self) -> Vec<Text> {
        let mut texts = Vec::new();
        let mut words = String::new();
        for part in self.lines("submit") {
            if part["status"] != 0 {
                continue;
            }
            words.push_str(part["text"].as_str().unwrap_or_default());
            if is_last(&part) {
                texts.push(Text {
                    to: part["to"].as_str().unwrap_or_default().to_owned(),
                    words: std::mem::take(&mut words),
                    id: part["id"].as_str().unwrap_or_default().to_owned(),
                });
            }
        }
        texts
    }

    /// Waits for the `count`th text and gives it.
    pub async fn text(&self, count: usize) -> Result<Text, Failure> {
        let what = format!("{count} texts at the SMS centre");
        eventually(&what, PATIENCE, || async {
            Ok(self.texts().into_iter().nth(count - 1))
        })
        .await
    }

    /// Says of every text not yet spoken of that it reached its telephone.
    pub fn report_delivered(&mut self) -> Result<(), Failure> {
        let texts = self.texts();
        for text in texts.iter().skip(self.reported) {
            let receipt = json!({ "do": "receipt", "id": text.id, "stat": "DELIVRD" });
            writeln!(self.orders, "{receipt}").map_err(Failure::io("the SMS centre"))?;
        }
        self.reported = texts.len();
        Ok(())
    }

    fn lines(&self, what: &str) -> Vec<Value> {
        let got = self.got.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = got.iter().filter(|line| line["got"] == what);
        wanted.cloned().collect()
    }
}

impl Drop for SmsCentre {
    fn drop(&mut self) {
        // Fails only when it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A part's header ends with how many there are and its own number
/// (3GPP TS 23.040, 9.2.3.24.1); a text in one piece has none.
fn is_last(part: &Value) -> bool {
    let Some(header) = part["udh"][0].as_str() else {
        return true;
    };
    let numbers = header.len().checked_sub(4).and_then(|at| header.get(at..));
    numbers.is_none_or(|numbers| numbers.get(..2) == numbers.get(2..))
}
