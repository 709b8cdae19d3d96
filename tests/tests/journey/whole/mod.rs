//! The whole complex path as one journey, by everybody it takes: the clerk in
//! the real window, experts, departments and management in real browsers, an
//! SMS centre that is not ours, and the customer at a telephone. Two cycles,
//! until the customer is content.

mod analysis;
mod answer;
mod counter;
mod customer;
mod decision;
mod second;

use suda_tests::{City, DeskDir, Display, Failure, Screen, SmsCentre, Text};

use crate::pages::{Done, Story};

const STORY: Story<'_> = Story {
    description: "小区门口你们的配电箱起火，老人被烟呛伤住院，家里宽带断了三天，打了三次电话没有人管。",
    remedy: "查明起火原因，赔偿医疗费一万二千元，尽快恢复宽带",
    phone: "13900139007",
};

/// Everybody of the journey, and what they are at.
struct Cast {
    city: City,
    centre: SmsCentre,
    desk: DeskDir,
    window: Screen,
    _display: Display,
    /// 周雪, who handles it.
    expert: Screen,
    /// 孙建国 of the management group.
    chief: Screen,
    /// The customer's telephone; it comes out once there is something to ask.
    phone: Screen,
    reference: String,
    /// How many texts the customer has got.
    texts: usize,
}

impl Cast {
    /// The account of somebody by name.
    async fn console_of(&self, name: &str) -> Result<Screen, Failure> {
        console(&self.city, name).await
    }

    /// The customer has got one more text, and it says so.
    async fn text_says(&mut self, words: &str) -> Result<Text, Failure> {
        self.texts += 1;
        let text = self.centre.text(self.texts).await?;
        let said = &text.words;
        assert!(said.contains(words), "{words} in {said}");
        assert!(said.contains(&self.reference), "{said}");
        assert_eq!(text.to, format!("86{}", STORY.phone));
        Ok(text)
    }
}

/// A browser at the console, signed in.
async fn console(city: &City, name: &str) -> Result<Screen, Failure> {
    let account = city.accounts.iter().find(|account| account.name == name);
    let account = account.ok_or_else(|| Failure::Said(format!("{name} has no account")))?;
    let browser = Screen::browser(&format!("{}/console", city.url())).await?;
    browser.console_sign_in(account).await?;
    Ok(browser)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_complex_path_until_the_customer_is_content() -> Done {
    let mut cast = counter::recorded_and_alerted().await?;
    analysis::asked_dispatched_and_reported(&mut cast).await?;
    decision::commented_and_voted(&mut cast).await?;
    answer::carried_out_and_answered(&mut cast).await?;
    customer::not_content(&mut cast).await?;
    second::until_content(&mut cast).await?;
    counter::seen_to_its_end(cast).await
}
