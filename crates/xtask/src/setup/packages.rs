//! The table of system packages under each family's names, and the reading of
//! what a package manager prints. Pure: nothing is started from here.

use Need::{Build, Bundle, Test, Window};

/// What a package is needed for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Need {
    Build,
    Window,
    Test,
    Bundle,
}

/// Systems that share package names and a package manager.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Family {
    Debian,
    /// As Debian, but with browsers under other names.
    Ubuntu,
    Fedora,
    Suse,
    Arch,
}

struct Package {
    need: Need,
    debian: &'static str,
    /// A name, a file or a `pkgconfig()` capability: what both Fedora and
    /// openSUSE resolve, whatever they call the package.
    rpm: Option<&'static str>,
    /// None where another row's package brings it.
    arch: Option<&'static str>,
}

const fn row(
    need: Need,
    debian: &'static str,
    rpm: Option<&'static str>,
    arch: Option<&'static str>,
) -> Package {
    Package {
        need,
        debian,
        rpm,
        arch,
    }
}

const PACKAGES: &[Package] = &[
    row(Build, "gcc", Some("gcc"), Some("gcc")),
    row(Build, "make", Some("make"), Some("make")),
    row(Build, "perl", Some("perl"), Some("perl")),
    row(
        Build,
        "pkg-config",
        Some("/usr/bin/pkg-config"),
        Some("pkgconf"),
    ),
    row(
        Build,
        "libssl-dev",
        Some("pkgconfig(openssl)"),
        Some("openssl"),
    ),
    row(
        Build,
        "libwebkit2gtk-4.1-dev",
        Some("pkgconfig(webkit2gtk-4.1)"),
        Some("webkit2gtk-4.1"),
    ),
    row(
        Build,
        "librsvg2-dev",
        Some("pkgconfig(librsvg-2.0)"),
        Some("librsvg"),
    ),
    row(
        Build,
        "libayatana-appindicator3-dev",
        Some("pkgconfig(ayatana-appindicator3-0.1)"),
        Some("libayatana-appindicator"),
    ),
    row(
        Window,
        "fonts-noto-cjk",
        Some("google-noto-sans-cjk-fonts"),
        Some("noto-fonts-cjk"),
    ),
    row(
        Window,
        "dbus",
        Some("/usr/bin/dbus-run-session"),
        Some("dbus"),
    ),
    row(
        Window,
        "libsecret-1-0",
        Some("pkgconfig(libsecret-1)"),
        Some("libsecret"),
    ),
    row(
        Test,
        "webkit2gtk-driver",
        Some("/usr/bin/WebKitWebDriver"),
        None,
    ),
    row(
        Test,
        "xvfb",
        Some("/usr/bin/Xvfb"),
        Some("xorg-server-xvfb"),
    ),
    row(Test, "chromium", Some("chromium"), Some("chromium")),
    row(Test, "chromium-driver", Some("/usr/bin/chromedriver"), None),
    row(Test, "dbus-x11", Some("/usr/bin/dbus-launch"), None),
    row(
        Test,
        "gnome-keyring",
        Some("gnome-keyring"),
        Some("gnome-keyring"),
    ),
    row(Test, "xdotool", Some("xdotool"), Some("xdotool")),
    row(
        Test,
        "imagemagick",
        Some("ImageMagick"),
        Some("imagemagick"),
    ),
    // Only its programs are used: each test runs a server of its own.
    row(
        Test,
        "postgresql-15",
        Some("postgresql-server"),
        Some("postgresql"),
    ),
    row(Bundle, "file", Some("file"), Some("file")),
    row(Bundle, "dpkg-dev", None, None),
];

impl Family {
    /// Reads `/etc/os-release`: the system's own id first, then what it says
    /// it is like, so that derived systems are known too.
    pub fn of(os_release: &str) -> Option<Family> {
        let value = |key: &str| {
            os_release
                .lines()
                .find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
                .map(|value| value.trim_matches(['"', '\'']))
                .unwrap_or_default()
        };
        let ids = value("ID")
            .split_whitespace()
            .chain(value("ID_LIKE").split_whitespace());
        ids.into_iter().find_map(|id| match id {
            "ubuntu" => Some(Family::Ubuntu),
            "debian" => Some(Family::Debian),
            "fedora" | "rhel" | "centos" => Some(Family::Fedora),
            "suse" | "opensuse" => Some(Family::Suse),
            "arch" => Some(Family::Arch),
            _ => None,
        })
    }

    /// The command that installs these packages, ready to be pasted.
    pub fn install_command(self, packages: &[&str]) -> String {
        let manager = match self {
            Family::Debian | Family::Ubuntu => "apt-get install --no-install-recommends",
            Family::Fedora => "sudo dnf install",
            Family::Suse => "sudo zypper install",
            Family::Arch => "sudo pacman -S --needed",
        };
        let mut command = manager.to_owned();
        for package in packages {
            command.push(' ');
            if package.contains('(') {
                command.push_str(&format!("'{package}'"));
            } else {
                command.push_str(package);
            }
        }
        command
    }
}

/// What a family calls everything that serves one of these needs.
pub fn wanted(family: Family, needs: &[Need]) -> Vec<&'static str> {
    PACKAGES
        .iter()
        .filter(|package| needs.contains(&package.need))
        .filter_map(|package| match family {
            Family::Debian => Some(package.debian),
            Family::Ubuntu => Some(match package.debian {
                "chromium" => "chromium-browser",
                "chromium-driver" => "chromium-chromedriver",
                // Whichever version it is: 14 is refused by name when started.
                "postgresql-15" => "postgresql",
                name => name,
            }),
            Family::Fedora | Family::Suse => package.rpm,
            Family::Arch => package.arch,
        })
        .collect()
}

/// Which of `wanted` do not stand as installed in dpkg's answer of one
/// `NAME STATUS` a line. A removed package whose configuration is left still
/// has a line.
pub fn missing_in<'a>(wanted: &[&'a str], printed: &str) -> Vec<&'a str> {
    let installed: Vec<&str> = printed
        .lines()
        .filter_map(|line| line.strip_suffix(" installed"))
        .collect();
    wanted
        .iter()
        .copied()
        .filter(|name| !installed.contains(name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_dpkg_calls_installed_counts() {
        let printed = "gcc installed\nmake config-files\nxvfb not-installed\n";
        assert_eq!(
            missing_in(&["gcc", "make", "perl", "xvfb"], printed),
            ["make", "perl", "xvfb"]
        );
    }

    #[test]
    fn derived_systems_take_the_family_they_are_like() {
        assert_eq!(Family::of("NAME=x\nID=debian\n"), Some(Family::Debian));
        assert_eq!(Family::of("ID=uos\nID_LIKE=debian\n"), Some(Family::Debian));
        assert_eq!(
            Family::of("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n"),
            Some(Family::Ubuntu)
        );
        assert_eq!(
            Family::of("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n"),
            Some(Family::Fedora)
        );
        assert_eq!(
            Family::of("ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\n"),
            Some(Family::Suse)
        );
        assert_eq!(Family::of("ID=plan9\n"), None);
        assert_eq!(Family::of(""), None);
    }

    #[test]
    fn the_named_command_can_be_pasted_into_a_shell() {
        assert_eq!(
            Family::Fedora.install_command(&["gcc", "pkgconfig(openssl)"]),
            "sudo dnf install gcc 'pkgconfig(openssl)'"
        );
    }

    #[test]
    fn running_needs_neither_browsers_nor_packaging_tools() {
        let names = wanted(Family::Debian, &[Build, Window]);
        assert!(names.contains(&"libwebkit2gtk-4.1-dev"));
        assert!(!names.contains(&"chromium"));
        assert!(!names.contains(&"dpkg-dev"));
        assert!(wanted(Family::Ubuntu, &[Test]).contains(&"chromium-browser"));
    }
}
