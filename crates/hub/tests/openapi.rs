//! The description of the console's API, so that a change to it is seen in review.

#[test]
fn description() {
    let mut described = serde_json::to_value(suda_hub::http::openapi()).unwrap();
    described["info"]["version"] = "[version]".into();
    insta::assert_json_snapshot!(described);
}
