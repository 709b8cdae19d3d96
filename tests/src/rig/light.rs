//! A desk without a disk: the same state machine as the real one, its ledger
//! in memory, a real connection to a real hub. Hundreds fit into one process.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use suda_domain::Lane;
use suda_sync::desk::{Command, DeskSync, Input, Standing, Step, Stream, agreed};
use suda_sync::message::{Earlier, Renewal, VERSION, Watermarks};
use suda_sync::{Ask, Position, PublicKey, Reply, Request, SecretKey, Signed, Verdict, Welcome};

use super::books::EventMark;
use super::pen::Pen;
use crate::Failure;

/// How the pauses between tries pass.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pace {
    Real,
    /// At once, as the machine reads no clock of its own.
    Skipped,
}

/// What a desk met on its way.
#[derive(Clone, Debug, Default)]
pub struct Met {
    /// Events the hub answered as known.
    pub duplicates: u64,
    pub set_aside: u64,
    /// Answers with a status of 500 and above.
    pub server_errors: u64,
    /// Questions without an answer.
    pub unanswered: u64,
    /// When the urgent lane was first receipted to its end.
    pub urgent_done: Option<Instant>,
    pub hellos: u64,
    /// At which hello the hub gave it a new incarnation.
    pub renewed_at_hello: Option<u64>,
}

pub struct LightDesk {
    pub pen: Pen,
    pub met: Met,
    pub url: String,
    key: SecretKey,
    hub_key: PublicKey,
    /// What is receipted, by incarnation and lane.
    acked: BTreeMap<u32, [u64; 4]>,
    cursor: u64,
    epoch: Option<String>,
    contact: Option<String>,
    directory: u32,
    machine: DeskSync,
    client: reqwest::Client,
    began: Instant,
    skipped_ms: u64,
}

impl LightDesk {
    /// A desk just enrolled.
    pub fn new(
        pen: Pen,
        key: SecretKey,
        hub_key: PublicKey,
        epoch: String,
        seed: u64,
    ) -> Result<Self, Failure> {
        let client = client()?;
        Ok(Self {
            contact: None,
            pen,
            met: Met::default(),
            url: String::new(),
            key,
            hub_key,
            acked: BTreeMap::new(),
            cursor: 0,
            epoch: Some(epoch),
            directory: 0,
            machine: DeskSync::new(seed),
            client,
            began: Instant::now(),
            skipped_ms: 0,
        })
    }

    /// A copy of its database on another computer, or as a backup has it.
    pub fn copy(&self, seed: u64) -> Result<Self, Failure> {
        Ok(Self {
            pen: self.pen.clone(),
            met: Met::default(),
            url: self.url.clone(),
            key: self.key.clone(),
            hub_key: self.hub_key,
            acked: self.acked.clone(),
            cursor: self.cursor,
            epoch: self.epoch.clone(),
            contact: self.contact.clone(),
            directory: self.directory,
            machine: DeskSync::new(seed),
            client: client()?,
            began: Instant::now(),
            skipped_ms: 0,
        })
    }

    pub fn is_receipted(&self) -> bool {
        let of_now = (self.pen.incarnation, self.pen.written());
        let mut written = self.pen.earlier().chain([of_now]);
        written.all(|(of, written)| self.acked(of) == written)
    }

    fn acked(&self, incarnation: u32) -> [u64; 4] {
        self.acked.get(&incarnation).copied().unwrap_or_default()
    }

    /// Its events as the books name them.
    pub fn marks(&self) -> Vec<EventMark> {
        let mut marks = Vec::new();
        let earlier = self.pen.earlier().map(|(of, _)| of);
        for incarnation in earlier.chain([self.pen.incarnation]) {
            for lane in Lane::ALL {
                let stream = Stream { incarnation, lane };
                for (n, event) in (1i64..).zip(self.pen.stream(stream)) {
                    marks.push((
                        self.pen.device.0,
                        i64::from(incarnation),
                        i64::from(lane.number()),
                        n,
                        event.hash.0.to_vec(),
                    ));
                }
            }
        }
        marks
    }

    /// Syncs until everything written is receipted and the log is read, at
    /// most `within` of real time. False when it was not enough.
    pub async fn sync(&mut self, pace: Pace, within: Duration) -> bool {
        let until = Instant::now() + within;
        let mut input = Input::LocalWrite;
        loop {
            let wake_at_ms = self.feed(input).await;
            if self.machine.is_at_rest() && self.is_receipted() {
                return true;
            }
            if Instant::now() > until {
                return false;
            }
            let pause = wake_at_ms.saturating_sub(self.now_ms());
            match pace {
                Pace::Real => tokio::time::sleep(Duration::from_millis(pause.max(1))).await,
                Pace::Skipped => self.skipped_ms += pause,
            }
            input = Input::Tick;
        }
    }

    fn now_ms(&self) -> u64 {
        let real = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        real + self.skipped_ms
    }

    /// Gives the machine an input and does what it asks until it asks nothing.
    async fn feed(&mut self, input: Input) -> u64 {
        let mut next = Some((None, input));
        let mut wake = 0;
        while let Some((number, input)) = next.take() {
            let Step {
                command,
                wake_at_ms,
            } = self.machine.step(self.now_ms(), number, input);
            wake = wake_at_ms;
            if let Some((number, command)) = command {
                next = Some((Some(number), self.perform(command).await));
            }
        }
        wake
    }

    async fn perform(&mut self, command: Command) -> Input {
        match command {
            Command::ReadStanding => Input::Standing(Box::new(self.standing())),
            Command::Load {
                stream,
                after,
                max_events,
                max_bytes,
            } => Input::Loaded(self.load(stream, after, max_events, max_bytes)),
            Command::Send { session, ask } => self.send(session, ask).await,
            Command::SaveWelcome { welcome, cursor } => {
                self.agree(&welcome);
                self.epoch = Some(welcome.epoch);
                self.contact = Some(welcome.session);
                self.cursor = cursor;
                Input::Standing(Box::new(self.standing()))
            }
            Command::Renew {
                incarnation,
                letter,
            } => {
                let hellos = self.met.hellos;
                self.met.renewed_at_hello.get_or_insert(hellos);
                self.pen.renew(incarnation, letter);
                self.contact = None;
                Input::Standing(Box::new(self.standing()))
            }
            Command::Rekey { stream, from_n } => match self.pen.rekey(stream, from_n) {
                Ok(()) => Input::Standing(Box::new(self.standing())),
                Err(_) => Input::StoreFailed,
            },
            Command::SaveReceipt(receipt) => {
                self.acked.insert(receipt.incarnation, receipt.watermarks);
                self.note(&receipt.verdicts);
                Input::Saved
            }
            Command::SavePage(page) => {
                self.cursor = page.cursor;
                if let Some(directory) = &page.directory {
                    self.directory = directory.version;
                }
                Input::Saved
            }
        }
    }

    /// The lower watermark wins, and where the two have parted nothing is certain.
    fn agree(&mut self, welcome: &Welcome) {
        let earlier = welcome.earlier.iter().copied();
        let told = earlier.chain([Watermarks {
            incarnation: self.pen.incarnation,
            watermarks: welcome.watermarks,
            hashes: welcome.hashes,
        }]);
        for told in told {
            let mine = self.acked(told.incarnation);
            let acked = Lane::ALL.map(|lane| {
                let incarnation = told.incarnation;
                let (mine, theirs) = (mine[lane.index()], told.watermarks[lane.index()]);
                let written = self.pen.stream(Stream { incarnation, lane });
                let before = usize::try_from(mine.min(theirs)).ok();
                let here = before.and_then(|n| written.get(n.checked_sub(1)?));
                let here = here.map(|event| event.hash);
                agreed(mine, (theirs, told.hashes[lane.index()]), here, 0)
            });
            self.acked.insert(told.incarnation, acked);
        }
    }

    fn standing(&self) -> Standing {
        Standing {
            incarnation: self.pen.incarnation,
            position: Position {
                written: self.pen.written(),
                acked: self.acked(self.pen.incarnation),
                letter: Some(self.pen.letter.clone()),
                earlier: self
                    .pen
                    .earlier()
                    .map(|(incarnation, written)| Earlier {
                        incarnation,
                        written,
                        acked: self.acked(incarnation),
                    })
                    .collect(),
                renewal: Renewal::Ready,
                cursor: self.cursor,
                epoch: self.epoch.clone(),
                directory: self.directory,
                contact: self.contact.clone(),
                ..Position::default()
            },
        }
    }

    fn note(&mut self, verdicts: &[Verdict]) {
        for verdict in verdicts {
            match verdict {
                Verdict::Duplicate => self.met.duplicates += 1,
                Verdict::Quarantined { .. } => self.met.set_aside += 1,
                Verdict::Applied | Verdict::Held | Verdict::Gap | Verdict::Forked => {}
            }
        }
        if self.met.urgent_done.is_none()
            && self.acked(self.pen.incarnation)[0] == self.pen.written()[0]
        {
            self.met.urgent_done = Some(Instant::now());
        }
    }

    fn load(
        &self,
        stream: Stream,
        after: u64,
        max_events: usize,
        max_bytes: usize,
    ) -> Vec<suda_sync::SealedEvent> {
        let after = usize::try_from(after).unwrap_or(usize::MAX);
        let mut bytes = 0;
        let fits = |event: &&suda_sync::SealedEvent| {
            let alone = bytes == 0;
            bytes += event.body.get().len();
            alone || bytes <= max_bytes
        };
        let events = self.pen.stream(stream).iter().skip(after).take(max_events);
        events.take_while(fits).cloned().collect()
    }

    async fn send(&mut self, session: Option<String>, ask: Ask) -> Input {
        self.met.hellos += u64::from(matches!(ask, Ask::Hello(_)));
        match self.exchange(session, ask).await {
            Ok(reply) => Input::Reply(Box::new(reply)),
            Err(_) => {
                self.met.unanswered += 1;
                Input::SendFailed
            }
        }
    }

    async fn exchange(&mut self, session: Option<String>, ask: Ask) -> Result<Reply, Failure> {
        let request = Request {
            v: VERSION,
            device: self.pen.device,
            incarnation: self.pen.incarnation,
            session,
            ask,
        };
        let question = Signed::seal(&request, &self.key)?;
        let target = format!("{}/v1/sync", self.url);
        let answer = self.client.post(target).json(&question).send().await?;
        if answer.status().is_server_error() {
            self.met.server_errors += 1;
        }
        let signed: Signed = answer.json().await?;
        signed
            .open(&self.hub_key)
            .map_err(|error| Failure::Said(error.to_string()))
    }
}

fn client() -> Result<reqwest::Client, Failure> {
    let client = reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(60))
        .build()?;
    Ok(client)
}
