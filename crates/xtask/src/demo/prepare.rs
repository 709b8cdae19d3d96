//! The first run of a demo: a hub with a demo city, a desk enrolled at it and
//! sample complaints in it, all through the programs' own commands. Also the
//! start of the hub, which every run needs.

use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use anyhow::{Context, bail};
use serde::Deserialize;

use super::children::{Child, Interrupt};
use super::place::Place;
use super::record::{Account, Demo};
use crate::workspace::{Profile, Workspace, output, run, say};

/// Real-looking rows that ship with the repository.
const SAMPLE: &str = "tests/sample/complaints.csv";
const USUAL_PORT: u16 = 8460;
const HUB_START: Duration = Duration::from_secs(60);

#[derive(Deserialize)]
struct Initialised {
    accounts: Vec<Account>,
}

#[derive(Deserialize)]
struct EnrolmentCode {
    code: String,
}

pub fn demo(
    workspace: &Workspace,
    profile: Profile,
    place: &Place,
    port: Option<u16>,
    interrupt: &Interrupt,
) -> anyhow::Result<Demo> {
    let hub_program = workspace.program(profile, "suda-hub");
    let desk_program = workspace.program(profile, "suda-desk");
    let port = match port {
        Some(port) => port,
        None => free_port()?,
    };
    let mut demo = Demo {
        port,
        complete: false,
        accounts: Vec::new(),
    };
    place.keep(&demo)?;

    say("making a hub with a demo city");
    let mut init = workspace.command(&hub_program);
    let printed = output(
        init.args(["init", "--demo", "--json", "--data"])
            .arg(place.hub()),
    )?;
    let initialised: Initialised =
        serde_json::from_str(&printed).context("`suda-hub init` did not print its accounts")?;
    demo.accounts = initialised.accounts;
    place.keep(&demo)?;

    let hub = start_hub(workspace, profile, place, port, interrupt)?;
    let branch = demo.branch()?;
    say(&format!("enrolling a demo desk in branch {branch}"));
    let mut request = workspace.command(&hub_program);
    let printed = output(
        request
            .args(["enrol", branch, "--json", "--data"])
            .arg(place.hub()),
    )?;
    let enrolment: EnrolmentCode =
        serde_json::from_str(&printed).context("`suda-hub enrol` did not print a code")?;
    let desk = |arguments: &[&str]| {
        let mut command = workspace.command(&desk_program);
        command.args(arguments).arg("--data").arg(place.desk());
        command.arg("--key-file").arg(place.desk_key());
        command
    };
    let address = format!("http://127.0.0.1:{port}");
    run(&mut desk(&[
        "enrol",
        "--hub",
        &address,
        "--code",
        &enrolment.code,
    ]))?;
    stop_if_interrupted(interrupt)?;

    say(&format!("recording the sample complaints of {SAMPLE}"));
    let sample = workspace.root.join(SAMPLE);
    let sample = sample
        .to_str()
        .context("the repository's path is not UTF-8")?;
    run(desk(&["import", sample, "--handoff", "suggested"]).stdout(std::process::Stdio::null()))?;
    stop_if_interrupted(interrupt)?;
    run(&mut desk(&["sync", "--once"]))?;
    stop_if_interrupted(interrupt)?;

    drop(hub);
    demo.complete = true;
    place.keep(&demo)?;
    Ok(demo)
}

pub fn start_hub(
    workspace: &Workspace,
    profile: Profile,
    place: &Place,
    port: u16,
    interrupt: &Interrupt,
) -> anyhow::Result<Child> {
    say(&format!("starting the hub on port {port}"));
    let mut command = workspace.command(workspace.program(profile, "suda-hub"));
    command
        .args(["serve", "--listen", &format!("127.0.0.1:{port}"), "--data"])
        .arg(place.hub());
    let mut hub = Child::start("the hub", &mut command, &place.hub_log())?;
    hub.wait_for_line(HUB_START, interrupt, |line| {
        line.strip_prefix("listening on ").map(|_address| ())
    })?;
    Ok(hub)
}

/// The usual port when nobody listens there, else any free one. Kept with the
/// demo, because the desk is enrolled at this address.
fn free_port() -> anyhow::Result<u16> {
    let is_free = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    let listener = is_free(USUAL_PORT)
        .or_else(|_taken| is_free(0))
        .context("no port is free on this machine")?;
    Ok(listener
        .local_addr()
        .context("the free port has no number")?
        .port())
}

fn stop_if_interrupted(interrupt: &Interrupt) -> anyhow::Result<()> {
    if interrupt.happened() {
        bail!("interrupted; the next run starts over");
    }
    Ok(())
}
