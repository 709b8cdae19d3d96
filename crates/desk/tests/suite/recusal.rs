//! Whom a complaint of the branch is about, and who stands above them, do not
//! meet it at the desk: not in a list, not by its number, not in a notice.

use suda_desk::view::{Assessment, Scope};
use suda_desk::{ReadError, RecordError, Session, StepError};
use suda_domain::{Complexity, Fact, FactKind, Grade, Refusal, Role, StaffId};

use crate::support::{Bench, LOGIN, PASSWORD, form, staff};

/// The clerk at the counter, a colleague, and the manager above both.
struct Branch {
    bench: Bench,
    clerk: Session,
    colleague: Session,
    manager: Session,
}

impl Branch {
    async fn new() -> Self {
        let bench = Bench::new().await;
        {
            let mut hub = bench.hub.state.lock().unwrap();
            let directory = &mut hub.directory;
            directory.version += 1;
            let manager = directory.staff[1].id;
            let mut colleague = staff("li", "李娜", Role::Clerk);
            colleague.superior = Some(manager);
            directory.staff[0].superior = Some(manager);
            directory.staff.push(colleague);
        }
        bench.desk.sync_once().await.unwrap();
        let sign_in = async |login| bench.desk.sign_in(login, PASSWORD).await.unwrap();
        let (clerk, colleague) = (sign_in(LOGIN).await, sign_in("li").await);
        let manager = sign_in("chen").await;
        Self {
            bench,
            clerk,
            colleague,
            manager,
        }
    }

    async fn record(
        &self,
        who: &Session,
        about: Option<StaffId>,
        complexity: Complexity,
    ) -> Result<suda_domain::ComplaintId, RecordError> {
        let draft = self.bench.desk.draft_open(who).await.unwrap();
        let assessment = Assessment {
            grade: Grade::Three,
            complexity,
            override_reason: Some("按流程".into()),
            about,
        };
        let intake = form("营业员王芳态度恶劣");
        let recorded = self
            .bench
            .desk
            .record(who, draft.id, intake, assessment, None)
            .await;
        recorded.map(|_| draft.id)
    }
}

#[tokio::test]
async fn nobody_it_is_about_or_above_them_meets_it_at_the_desk() {
    let branch = Branch::new().await;
    let desk = &branch.bench.desk;
    let about = Some(branch.clerk.staff_id());
    let id = branch
        .record(&branch.colleague, about, Complexity::Simple)
        .await
        .unwrap();
    let reference = desk.receipt(&branch.colleague, id).await.unwrap().reference;

    // The colleague goes on with it, and sees whom it is about.
    let case = desk.case(&branch.colleague, id).await.unwrap();
    assert_eq!(case.recused[0].name, "王芳");
    assert!(
        case.timeline
            .iter()
            .any(|entry| entry.kind == FactKind::Recused)
    );
    for (scope, there) in [(Scope::Open, 1), (Scope::All, 1), (Scope::Done, 0)] {
        let page = desk.cases(&branch.colleague, scope, None, 9).await.unwrap();
        assert_eq!(page.rows.len(), there, "the control: {scope:?}");
    }
    for text in ["王芳", "态度", reference.as_str()] {
        assert_eq!(
            desk.search(&branch.colleague, text, 9).await.unwrap().len(),
            1
        );
    }

    for barred in [&branch.clerk, &branch.manager] {
        for scope in [
            Scope::Open,
            Scope::WithExperts,
            Scope::Done,
            Scope::All,
            Scope::Mine,
        ] {
            let page = desk.cases(barred, scope, None, 9).await.unwrap();
            assert!(page.rows.is_empty(), "{} in {scope:?}", barred.login());
        }
        for text in ["王芳", "态度", reference.as_str(), "13812345678"] {
            assert!(
                desk.search(barred, text, 9).await.unwrap().is_empty(),
                "{text}"
            );
        }
        assert!(matches!(
            desk.case(barred, id).await,
            Err(ReadError::NotFound)
        ));
        assert!(matches!(
            desk.receipt(barred, id).await,
            Err(ReadError::NotFound)
        ));
        assert!(desk.evidence(barred, id).await.is_err());
        let note = desk.note(barred, id, "x".into()).await;
        assert!(matches!(note, Err(StepError::NotFound)), "{note:?}");
        let ended = desk.withdraw(barred, id, "x".into()).await;
        assert!(matches!(ended, Err(StepError::NotFound)));
    }
    let noted = desk.note(&branch.colleague, id, "已安抚".into()).await;
    assert!(noted.is_ok(), "{noted:?}");
}

#[tokio::test]
async fn whoever_it_is_about_cannot_record_it_and_the_form_stays() {
    let branch = Branch::new().await;
    let desk = &branch.bench.desk;
    let about = Some(branch.clerk.staff_id());
    for who in [&branch.clerk, &branch.manager] {
        let refused = branch.record(who, about, Complexity::Simple).await;
        assert!(matches!(refused, Err(RecordError::AboutYou)), "{refused:?}");
    }
    // A manager's own clerks do record what is about the manager.
    let about = Some(branch.manager.staff_id());
    let id = branch
        .record(&branch.clerk, about, Complexity::Simple)
        .await
        .unwrap();
    assert!(desk.case(&branch.clerk, id).await.is_ok());
    assert!(desk.case(&branch.manager, id).await.is_err());
    // A stranger to the branch is nobody a form can name.
    let stranger = Some(StaffId(uuid::Uuid::from_u128(1)));
    let refused = branch
        .record(&branch.clerk, stranger, Complexity::Simple)
        .await;
    assert!(matches!(
        refused,
        Err(RecordError::Refused(Refusal::OtherBranch))
    ));
}

#[tokio::test]
async fn the_packet_names_whom_it_is_about_before_the_ordinary_lane_comes() {
    let branch = Branch::new().await;
    let about = Some(branch.clerk.staff_id());
    let id = branch
        .record(&branch.colleague, about, Complexity::Complex)
        .await
        .unwrap();
    let case = branch.bench.desk.case(&branch.colleague, id).await.unwrap();
    let packet = case.timeline.iter().find_map(|entry| match &entry.fact {
        Fact::HandedOff { packet, .. } => Some(packet),
        _ => None,
    });
    let named: Vec<_> = packet
        .unwrap()
        .recused
        .iter()
        .map(|one| one.staff)
        .collect();
    assert_eq!(named, [branch.clerk.staff_id()]);
}

#[tokio::test]
async fn a_notice_names_nothing_that_is_about_somebody_and_the_handoff_still_happens() {
    let branch = Branch::new().await;
    let desk = &branch.bench.desk;
    let plain = branch
        .record(&branch.colleague, None, Complexity::Simple)
        .await
        .unwrap();
    let about = Some(branch.clerk.staff_id());
    let named = branch
        .record(&branch.colleague, about, Complexity::Simple)
        .await
        .unwrap();
    branch.bench.clock.pass(51);
    let shown: Vec<_> = desk
        .sweep()
        .await
        .unwrap()
        .into_iter()
        .map(|one| one.id)
        .collect();
    assert_eq!(shown, [plain], "the control is shown");
    let case = desk.case(&branch.colleague, named).await.unwrap();
    assert!(
        case.timeline
            .iter()
            .any(|entry| entry.kind == FactKind::HandedOff)
    );
}

#[tokio::test]
async fn the_manager_cannot_give_it_to_whom_it_is_about() {
    let branch = Branch::new().await;
    let desk = &branch.bench.desk;
    // About a colleague whom nobody stands above here.
    let manager = branch.manager.staff_id();
    {
        let mut hub = branch.bench.hub.state.lock().unwrap();
        hub.directory.version += 1;
        for one in &mut hub.directory.staff {
            one.superior.take_if(|_| one.login == "li");
        }
        assert!(
            hub.directory
                .staff
                .iter()
                .any(|one| one.superior == Some(manager))
        );
    }
    desk.sync_once().await.unwrap();
    let about = Some(branch.colleague.staff_id());
    let id = branch
        .record(&branch.clerk, about, Complexity::Simple)
        .await
        .unwrap();
    let given = desk
        .assign(&branch.manager, id, branch.colleague.staff_id())
        .await;
    assert!(
        matches!(given, Err(StepError::Refused(Refusal::Recused))),
        "{given:?}"
    );
    assert!(
        desk.assign(&branch.manager, id, branch.clerk.staff_id())
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn what_is_answered_with_a_case_about_them_is_not_for_them_either() {
    let branch = Branch::new().await;
    let desk = &branch.bench.desk;
    let about = Some(branch.clerk.staff_id());
    let complex = Complexity::Complex;
    let lead = branch
        .record(&branch.colleague, about, complex)
        .await
        .unwrap();
    let member = branch
        .record(&branch.colleague, None, complex)
        .await
        .unwrap();
    let apart = branch
        .record(&branch.colleague, None, complex)
        .await
        .unwrap();
    let reference = desk
        .receipt(&branch.colleague, lead)
        .await
        .unwrap()
        .reference;
    branch.bench.contact().await;
    let sees = async |who: &Session, id| desk.case(who, id).await.is_ok();
    assert!(sees(&branch.clerk, member).await, "the control");
    let expert = || suda_domain::Actor {
        staff: Some(StaffId(uuid::Uuid::from_u128(77))),
        name: "周雪".into(),
        role: Role::Expert,
        branch: None,
    };
    for (id, relation) in [
        (member, suda_domain::Relation::Group),
        (apart, suda_domain::Relation::Related),
    ] {
        let system = suda_domain::Actor::system(None);
        branch.bench.hub.write(id, 1, system, Fact::Queued);
        let linked = Fact::Linked {
            to: lead,
            reference: reference.clone(),
            relation,
            note: String::new(),
        };
        branch.bench.hub.write(id, 2, expert(), linked);
    }
    branch.bench.contact().await;
    for who in [&branch.clerk, &branch.manager] {
        assert!(!sees(who, member).await);
        assert!(sees(who, apart).await);
    }
    assert!(sees(&branch.colleague, member).await);
    let listed = desk
        .cases(&branch.clerk, Scope::All, None, 9)
        .await
        .unwrap();
    let ids: Vec<_> = listed.rows.iter().map(|row| row.id).collect();
    assert_eq!(ids, [apart]);
}
