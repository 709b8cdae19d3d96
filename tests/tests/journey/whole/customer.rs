//! The customer at the telephone: the four states, a bad mark, and the case is
//! taken up again.

use fantoccini::elements::Element;
use suda_tests::{Failure, Screen};

use super::Cast;
use crate::pages::Done;

pub(super) async fn not_content(cast: &mut Cast) -> Done {
    let phone = &cast.phone;
    renew(phone).await?;
    phone
        .css("ol.steps li:nth-child(4).done[aria-current=\"step\"]")
        .await?;
    let done = phone
        .client
        .find_all(fantoccini::Locator::Css("ol.steps li.done"));
    assert_eq!(done.await?.len(), 4);
    phone.shows("责任在我公司").await?;
    fits(phone).await?;
    phone.picture("whole-20-phone-completed").await?;

    phone
        .click_css("input[name=\"score\"][value=\"1\"]")
        .await?;
    let comment = phone.css("textarea[name=\"rate\"]").await?;
    comment.send_keys("宽带又断了").await?;
    into_view(phone, &comment).await?;
    phone.picture("whole-21-phone-rating").await?;
    phone.click_css("fieldset ~ button.main").await?;
    phone.gone("input[name=\"score\"]").await?;

    phone.click_css("button[aria-expanded=\"false\"]").await?;
    let reason = phone.css("textarea[name=\"reopen\"]").await?;
    reason
        .send_keys("昨晚宽带又断了，赔偿款也没有到账。")
        .await?;
    into_view(phone, &reason).await?;
    phone.picture("whole-22-phone-reopen").await?;
    phone.click_css("button.main").await?;
    phone.css("ol.steps li:nth-child(1).now").await?;
    phone.picture("whole-22-phone-reopened").await?;
    cast.text_says("您的投诉已受理").await?;
    Ok(())
}

/// As it is now.
pub(super) async fn renew(phone: &Screen) -> Done {
    phone.click_css("main .card .row button:first-child").await
}

/// Nothing is wider than the screen.
pub(super) async fn fits(phone: &Screen) -> Done {
    let wide = "return document.documentElement.scrollWidth <= window.innerWidth \
                && window.innerWidth === 390";
    let fits = phone.client.execute(wide, Vec::new()).await?;
    assert_eq!(fits.as_bool(), Some(true), "wider than the telephone");
    Ok(())
}

/// As far as somebody would have scrolled.
async fn into_view(phone: &Screen, element: &Element) -> Result<(), Failure> {
    let script = "arguments[0].scrollIntoView({ block: 'center' })";
    let element = vec![serde_json::to_value(element)?];
    phone.client.execute(script, element).await?;
    Ok(())
}
