//! The real window and a real browser, both driven through WebDriver.

use std::collections::hash_map::DefaultHasher;
use std::fs::File;
use std::hash::{Hash as _, Hasher as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use fantoccini::elements::Element;
use fantoccini::key::Key;
use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::json;
use tempfile::TempDir;

use crate::city::{Account, DeskDir};
use crate::process::{Failure, Running, bin, eventually};

const PATIENCE: Duration = Duration::from_secs(20);
/// Presses of Tab after which a person gives up.
const MOST_TABS: usize = 12;
/// How long is waited for what moves.
const SETTLED: Duration = Duration::from_secs(2);
/// Characters of the screen that a failure tells.
const SHOWN: usize = 400;

/// A display of its own, so that tests run beside each other and without a screen.
pub struct Display {
    _server: Running,
    name: String,
}

impl Display {
    pub fn start() -> Result<Self, Failure> {
        let mut command = Command::new("Xvfb");
        command.args([
            "-displayfd",
            "1",
            "-screen",
            "0",
            "1440x900x24",
            "-nolisten",
            "tcp",
        ]);
        command.stderr(Stdio::null());
        let number = |line: &str| line.trim().parse::<u32>().ok();
        let (server, number) = Running::start_until(&mut command, PATIENCE, number)?;
        Ok(Self {
            _server: server,
            name: format!(":{number}"),
        })
    }

    pub fn name(&self) -> &str {
        &self.name
    }
}

/// A window or a browser page being driven, and what has to live as long as it.
pub struct Screen {
    pub client: Client,
    _driver: Running,
    _profile: TempDir,
    /// Process id of the driver; its children are the window's processes.
    pub driver_id: u32,
    /// The lock that a window holds as long as its program runs.
    lock: Option<PathBuf>,
}

fn free_port() -> Result<u16, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(Failure::io("a free port"))?;
    Ok(listener
        .local_addr()
        .map_err(Failure::io("a free port"))?
        .port())
}

async fn connect(port: u16, capabilities: serde_json::Value) -> Result<Client, Failure> {
    let url = format!("http://127.0.0.1:{port}");
    let capabilities = capabilities.as_object().cloned().unwrap_or_default();
    eventually("the driver gives a session", PATIENCE, || async {
        let mut builder = ClientBuilder::native();
        Ok(Some(
            builder
                .capabilities(capabilities.clone())
                .connect(&url)
                .await?,
        ))
    })
    .await
}

impl Screen {
    /// Opens the desk's window on its data directory.
    pub async fn window(display: &Display, desk: &DeskDir) -> Result<Self, Failure> {
        Self::window_with(display, desk, &[]).await
    }

    /// Opens the desk's window with more in its environment.
    pub async fn window_with(
        display: &Display,
        desk: &DeskDir,
        environment: &[(&str, &str)],
    ) -> Result<Self, Failure> {
        let profile = TempDir::new().map_err(Failure::io("a temporary folder"))?;
        let (port, native) = (free_port()?, free_port()?);
        let mut command = Command::new("tauri-driver");
        command.args([
            "--port",
            &port.to_string(),
            "--native-port",
            &native.to_string(),
        ]);
        command.env("DISPLAY", display.name());
        // The window's own settings (language, theme) start fresh in every test.
        command
            .env("XDG_DATA_HOME", profile.path())
            .env("XDG_CACHE_HOME", profile.path());
        command
            .env("GDK_BACKEND", "x11")
            .env("LANG", "C.UTF-8")
            .env("LIBGL_ALWAYS_SOFTWARE", "1");
        command.envs(environment.iter().copied());
        command
            .env_remove("WAYLAND_DISPLAY")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let driver = Running::start(&mut command)?;
        let capabilities = json!({
            "browserName": "wry",
            "tauri:options": {
                "application": bin("suda"),
                "args": ["--data", desk.data, "--key-file", desk.key],
            }
        });
        let client = connect(port, capabilities).await?;
        Ok(Self {
            client,
            driver_id: driver.id(),
            lock: Some(desk.data.join("desk.lock")),
            _driver: driver,
            _profile: profile,
        })
    }

    /// Opens a headless Chromium on `url`.
    pub async fn browser(url: &str) -> Result<Self, Failure> {
        Self::chromium(url, &[]).await
    }

    /// Opens a Chromium that behaves as a telephone `width` by 844 points large
    /// does, in Chongqing.
    pub async fn telephone(url: &str, width: u32) -> Result<Self, Failure> {
        let metrics = json!({
            "width": width, "height": 844, "pixelRatio": 2, "mobile": true, "touch": true,
        });
        let options = [
            ("mobileEmulation", json!({ "deviceMetrics": metrics })),
            ("prefs", json!({ "intl.accept_languages": "zh-CN" })),
        ];
        Self::chromium(url, &options).await
    }

    /// `options` are Chromium's own, beside its arguments.
    async fn chromium(url: &str, options: &[(&str, serde_json::Value)]) -> Result<Self, Failure> {
        let profile = TempDir::new().map_err(Failure::io("a temporary folder"))?;
        let port = free_port()?;
        let mut command = Command::new("chromedriver");
        command
            .arg(format!("--port={port}"))
            .env("TZ", "Asia/Shanghai")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let driver = Running::start(&mut command)?;
        let data_dir = format!("--user-data-dir={}", profile.path().display());
        let mut capabilities = json!({
            "browserName": "chrome",
            "goog:chromeOptions": { "args": [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--disable-dev-shm-usage", "--window-size=1440,900", "--lang=zh-CN", data_dir,
            ] }
        });
        for (name, value) in options {
            capabilities["goog:chromeOptions"][name] = value.clone();
        }
        let client = connect(port, capabilities).await?;
        client.goto(url).await?;
        Ok(Self {
            client,
            driver_id: driver.id(),
            lock: None,
            _driver: driver,
            _profile: profile,
        })
    }

    /// The element with this `data-testid`, once it is there.
    pub async fn part(&self, testid: &str) -> Result<Element, Failure> {
        self.css(&format!("[data-testid=\"{testid}\"]")).await
    }

    /// The first element a CSS selector finds, once it is there.
    pub async fn css(&self, selector: &str) -> Result<Element, Failure> {
        let found = eventually(selector, PATIENCE, || async {
            Ok(Some(self.client.find(Locator::Css(selector)).await?))
        })
        .await;
        match found {
            Ok(element) => Ok(element),
            Err(error) => Err(self.instead(selector, &error).await),
        }
    }

    /// A failure to find something, with what is on the screen in its place.
    async fn instead(&self, wanted: &str, error: &Failure) -> Failure {
        let shown = match self.client.find(Locator::Css("body")).await {
            Ok(body) => body.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        };
        let shown: String = shown.chars().take(SHOWN).collect();
        // What cannot be drawn any more does not hide what was wrong.
        let _drawn = self.picture("failed").await;
        Failure::Said(format!("{wanted}: {error}; the screen shows: {shown}"))
    }

    /// Clicks a part once it can be clicked.
    pub async fn click(&self, testid: &str) -> Result<(), Failure> {
        self.click_css(&format!("[data-testid=\"{testid}\"]")).await
    }

    pub async fn click_css(&self, selector: &str) -> Result<(), Failure> {
        let clicked = eventually(selector, PATIENCE, || async {
            let found = self.client.find(Locator::Css(selector)).await?;
            self.still().await;
            found.click().await?;
            Ok(Some(()))
        })
        .await;
        match clicked {
            Ok(()) => Ok(()),
            Err(error) => Err(self.instead(&format!("click {selector}"), &error).await),
        }
    }

    /// Whether a part is there now.
    pub async fn has(&self, testid: &str) -> Result<bool, Failure> {
        let selector = format!("[data-testid=\"{testid}\"]");
        let found = self.client.find_all(Locator::Css(&selector)).await?;
        Ok(!found.is_empty())
    }

    /// Waits until nothing moves: what fades in is not seen by who looks at
    /// once, and what slides in is missed by who clicks. What never ends is not
    /// waited for, nor is anything for long.
    async fn still(&self) {
        let moving = "return document.querySelector('[class*=\"-enter-active\"], [class*=\"-leave-active\"]') \
                      !== null || document.getAnimations().some((one) => one.playState === 'running' \
                      && one.effect?.getComputedTiming().endTime !== Infinity)";
        let still = eventually("everything stands still", SETTLED, || async {
            let moves = self.client.execute(moving, Vec::new()).await?;
            Ok((moves.as_bool() == Some(false)).then_some(()))
        });
        let _moves_on = still.await;
    }

    /// Waits until no element fits the selector.
    pub async fn gone(&self, selector: &str) -> Result<(), Failure> {
        let what = format!("{selector} is gone");
        let left = eventually(&what, PATIENCE, || async {
            let found = self.client.find_all(Locator::Css(selector)).await?;
            Ok(found.is_empty().then_some(()))
        })
        .await;
        match left {
            Ok(()) => Ok(()),
            Err(error) => Err(self.instead(&what, &error).await),
        }
    }

    /// Clicks a part if it is there now; one that goes away meanwhile is not.
    pub async fn click_if_there(&self, testid: &str) -> Result<(), Failure> {
        let selector = format!("[data-testid=\"{testid}\"]");
        let found = self.client.find_all(Locator::Css(&selector)).await?;
        match found.first() {
            Some(part) => Ok(part.click().await.or_else(|error| {
                if error.is_stale_element_reference() {
                    Ok(())
                } else {
                    Err(error)
                }
            })?),
            None => Ok(()),
        }
    }

    /// Types into a part, or into the input inside it.
    pub async fn fill(&self, testid: &str, text: &str) -> Result<(), Failure> {
        let own = format!("input[data-testid=\"{testid}\"], textarea[data-testid=\"{testid}\"]");
        let inner =
            format!("[data-testid=\"{testid}\"] input, [data-testid=\"{testid}\"] textarea");
        let field = self.css(&format!("{own}, {inner}")).await?;
        field.click().await?;
        field.send_keys(text).await?;
        Ok(())
    }

    /// Presses keys wherever the focus is.
    pub async fn keys(&self, keys: &str) -> Result<(), Failure> {
        self.client.active_element().await?.send_keys(keys).await?;
        Ok(())
    }

    /// Presses a key together with Ctrl.
    pub async fn ctrl(&self, key: char) -> Result<(), Failure> {
        self.chord(Key::Control, key).await
    }

    /// Presses a key together with Alt.
    pub async fn alt(&self, key: char) -> Result<(), Failure> {
        self.chord(Key::Alt, key).await
    }

    async fn chord(&self, held: Key, key: char) -> Result<(), Failure> {
        let chord = format!("{}{key}{}", char::from(held), char::from(Key::Null));
        self.keys(&chord).await
    }

    /// Presses one key that has no character.
    pub async fn press(&self, key: Key) -> Result<(), Failure> {
        self.keys(&char::from(key).to_string()).await
    }

    /// The part that the keyboard acts on: the nearest with a `data-testid`.
    pub async fn focused(&self) -> Result<String, Failure> {
        let look = "return document.activeElement?.closest('[data-testid]')?.dataset.testid ?? ''";
        let found = self.client.execute(look, Vec::new()).await?;
        Ok(found.as_str().unwrap_or_default().to_owned())
    }

    /// Waits until the keyboard acts on the part.
    pub async fn focus_is(&self, testid: &str) -> Result<(), Failure> {
        let wanted = format!("the focus on {testid}");
        let arrived = eventually(&wanted, PATIENCE, || async {
            Ok((self.focused().await? == testid).then_some(()))
        });
        match arrived.await {
            Ok(()) => Ok(()),
            Err(error) => {
                let instead = self.focused().await?;
                Err(Failure::Said(format!("{error}; it is on {instead:?}")))
            }
        }
    }

    /// Goes to a part with the Tab key, as far as a person would.
    pub async fn tab_to(&self, testid: &str) -> Result<(), Failure> {
        let mut passed = Vec::new();
        for _ in 0..MOST_TABS {
            let here = self.focused().await?;
            if here == testid {
                return Ok(());
            }
            passed.push(here);
            self.press(Key::Tab).await?;
        }
        Err(Failure::Said(format!("no way to {testid} past {passed:?}")))
    }

    /// Waits until the part's text contains `wanted` and gives the whole text.
    pub async fn reads(&self, testid: &str, wanted: &str) -> Result<String, Failure> {
        let selector = format!("[data-testid=\"{testid}\"]");
        eventually(&format!("{testid} reads {wanted}"), PATIENCE, || async {
            let text = self
                .client
                .find(Locator::Css(&selector))
                .await?
                .text()
                .await?;
            Ok(text.contains(wanted).then_some(text))
        })
        .await
        .map_err(|error| Failure::Said(format!("{testid} reads {wanted}: {error}")))
    }

    /// Waits until the whole page shows `wanted`.
    pub async fn shows(&self, wanted: &str) -> Result<(), Failure> {
        let look = || async {
            let text = self.client.find(Locator::Css("body")).await?.text().await?;
            Ok(text.contains(wanted).then_some(()))
        };
        match eventually(wanted, PATIENCE, look).await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.instead(wanted, &error).await),
        }
    }

    /// Keeps a picture of the screen: in `tests/screens` when `SUDA_SCREENS` is
    /// set (for the README), else in the temporary folder.
    pub async fn picture(&self, name: &str) -> Result<PathBuf, Failure> {
        let dir = match std::env::var_os("SUDA_SCREENS") {
            Some(_) => Path::new(env!("CARGO_MANIFEST_DIR")).join("screens"),
            None => {
                let mut hasher = DefaultHasher::new();
                env!("CARGO_MANIFEST_DIR").hash(&mut hasher);
                std::env::temp_dir().join(format!("suda-screens-{:x}", hasher.finish()))
            }
        };
        std::fs::create_dir_all(&dir).map_err(Failure::io("the folder for pictures"))?;
        let path = dir.join(format!("{name}.png"));
        self.still().await;
        let png = self.client.screenshot().await?;
        std::fs::write(&path, png).map_err(Failure::io("writing a picture"))?;
        Ok(path)
    }

    /// Signs in at the console and waits for its frame.
    pub async fn console_sign_in(&self, account: &Account) -> Result<(), Failure> {
        self.fill("console-login", &account.login).await?;
        self.fill("console-password", &account.password).await?;
        self.click("console-sign-in-submit").await?;
        self.part("console-frame").await.map(drop)
    }

    /// Signs in at the desk: the person's tile, then the password.
    pub async fn desk_sign_in(&self, account: &Account) -> Result<(), Failure> {
        self.click_css(&format!(
            "[data-testid=\"sign-in-staff\"][data-login=\"{}\"]",
            account.login
        ))
        .await?;
        self.fill("sign-in-password", &account.password).await?;
        self.click("sign-in-submit").await?;
        self.part("frame").await.map(drop)
    }

    /// The value of an attribute of a part, once it is `wanted`.
    pub async fn attribute_is(
        &self,
        testid: &str,
        name: &str,
        wanted: &str,
    ) -> Result<(), Failure> {
        self.css(&format!("[data-testid=\"{testid}\"][{name}=\"{wanted}\"]"))
            .await
            .map(drop)
    }

    /// Closes it, and waits until a window's program has let go of the data: it
    /// still writes before it ends.
    pub async fn close(self) -> Result<(), Failure> {
        self.client.close().await?;
        let Some(lock) = &self.lock else {
            return Ok(());
        };
        eventually("the window's program ends", PATIENCE, || async {
            let file = File::open(lock).map_err(Failure::io("the desk's lock"))?;
            Ok(file.try_lock().is_ok().then_some(()))
        })
        .await
    }
}
