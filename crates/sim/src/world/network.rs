//! What becomes of a question and its answer on their way.

use super::*;

impl World {
    pub(super) fn send(
        &mut self,
        desk: usize,
        boot: u32,
        number: u64,
        session: Option<String>,
        ask: Ask,
    ) {
        self.counts.messages += 1;
        let Some(node) = self.desks.get_mut(desk) else {
            return;
        };
        if let (
            Some(Plant::AckOnSend),
            Ask::Batch {
                lane,
                first_n,
                events,
                incarnation,
                ..
            },
        ) = (self.plan.plant, &ask)
        {
            let stream = Stream {
                incarnation: incarnation.unwrap_or(node.disk.incarnation),
                lane: *lane,
            };
            node.disk
                .mark_acked(stream, first_n + events.len() as u64 - 1);
        }
        let request = Request {
            v: VERSION,
            device: node.disk.device,
            incarnation: node.speaks_as,
            session,
            ask,
        };
        self.carry(desk, boot, number, request);
    }

    /// A question on its way to the hub.
    pub(super) fn carry(&mut self, desk: usize, boot: u32, number: u64, request: Request) {
        let request = Box::new(request);
        let is_forward = is_forward(&request);
        let is_down = self
            .desks
            .get(desk)
            .is_none_or(|node| node.link == Link::Down);
        if is_down {
            // Sometimes the system says so, sometimes nothing is ever heard.
            if self.dice.chance(700) {
                let at = self.now + self.dice.between(1, 5_000);
                self.queue.put(at, unsent(desk, boot, number, is_forward));
            }
            return;
        }
        if self.is_lost() {
            return;
        }
        if !self.calm && self.dice.chance(30) {
            let at = self.now + self.latency() * 3;
            let request = request.clone();
            self.queue.put(
                at,
                Ev::Arrive {
                    desk,
                    boot,
                    number,
                    request,
                },
            );
        }
        let at = self.now + self.latency();
        self.queue.put(
            at,
            Ev::Arrive {
                desk,
                boot,
                number,
                request,
            },
        );
    }

    fn latency(&mut self) -> u64 {
        let slow = if self.calm { 50 } else { LATENCY_MS.1 };
        self.dice.between(LATENCY_MS.0, slow)
    }

    fn is_lost(&mut self) -> bool {
        !self.calm && self.dice.chance(self.loss)
    }

    pub(super) fn arrive(&mut self, desk: usize, boot: u32, number: u64, request: &Request) {
        if !self.hub_up {
            if self.dice.chance(700) {
                let at = self.now + self.latency();
                let unsent = unsent(desk, boot, number, is_forward(request));
                self.queue.put(at, unsent);
            }
            return;
        }
        let crash = !self.calm && self.dice.chance(CRASHES);
        let early = crash && self.dice.chance(500);
        let before = self.hub.log.len();
        let at = Answering {
            now: city::wall(self.now, 0),
            plant: self.plan.plant,
        };
        let reply = if early {
            let forgotten = self.hub.clone();
            let reply = self.hub.answer(request, at);
            self.hub = forgotten;
            (self.plan.plant == Some(Plant::ReceiptBeforeCommit)).then_some(reply)
        } else {
            // A hub that crashes after storing has judged all the same.
            let reply = self.hub.answer(request, at);
            self.watch_clones(desk, matches!(request.ask, Ask::Hello(_)), &reply);
            Some(reply).filter(|_| !crash)
        };
        if crash {
            self.hub_dies();
        }
        let Some(reply) = reply else { return };
        self.heard(before);
        let is_cut = self
            .desks
            .get(desk)
            .is_none_or(|node| node.link != Link::Good);
        if is_cut || self.is_lost() {
            return;
        }
        let at = self.now + self.latency();
        let reply = Box::new(reply);
        let answer = if is_forward(request) {
            let event = ForwardEv::Answer { number, reply };
            Ev::Forward { desk, boot, event }
        } else {
            Ev::Answer {
                desk,
                boot,
                number,
                reply,
            }
        };
        self.queue.put(at, answer);
    }

    pub(super) fn hub_dies(&mut self) {
        self.counts.crashes += 1;
        self.hub_up = false;
        let pause = self.dice.between(1_000, 120_000);
        self.queue.put(self.now + pause, Ev::HubStart);
    }

    /// What the hub's log has behind `before` is new.
    pub(super) fn heard(&mut self, before: usize) {
        if self.hub.log.len() != before {
            let new = self.hub.log.iter().skip(before);
            let new = new.map(|line| (line.sealed.hash, Rc::clone(&line.event)));
            self.read.extend(new);
            self.tell(before);
        }
    }

    /// The watch: desks of the branches concerned hear that there is news.
    pub(super) fn tell(&mut self, before: usize) {
        let touched: Vec<_> = self
            .hub
            .log
            .iter()
            .skip(before)
            .map(|line| line.branch.clone())
            .collect();
        for desk in 0..self.desks.len() {
            let hears = self
                .desks
                .get(desk)
                .is_some_and(|node| node.link == Link::Good && touched.contains(&node.disk.branch));
            if hears && !self.is_lost() {
                let boot = self.desks.get(desk).map_or(0, |node| node.boot);
                let at = self.now + self.latency();
                self.queue.put(at, Ev::News { desk, boot });
            }
        }
    }

    pub(super) fn hear(&mut self, desk: usize, number: u64, mut reply: Reply) {
        let plant = self.plan.plant;
        let Some(node) = self.desks.get_mut(desk) else {
            return;
        };
        match (plant, &mut reply) {
            (Some(Plant::NoEpoch), Reply::Welcome(welcome)) => {
                if let Some(known) = node.disk.epoch() {
                    known.clone_into(&mut welcome.epoch);
                }
            }
            (Some(Plant::NoEpoch), Reply::Page(page)) => {
                if let Some(known) = node.disk.epoch() {
                    known.clone_into(&mut page.epoch);
                }
            }
            (Some(Plant::RenewIgnored), Reply::Refused(Refused::Renew { .. })) => {
                return self.feed(desk, Some(number), Input::SendFailed);
            }
            _ => {}
        }
        self.feed(desk, Some(number), Input::Reply(Box::new(reply)));
    }
}

fn is_forward(request: &Request) -> bool {
    matches!(request.ask, Ask::Forward { .. })
}

fn unsent(desk: usize, boot: u32, number: u64, is_forward: bool) -> Ev {
    let event = ForwardEv::Unsent { number };
    match is_forward {
        true => Ev::Forward { desk, boot, event },
        false => Ev::Unsent { desk, boot, number },
    }
}
