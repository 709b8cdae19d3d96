//! The demo city: branches, staff of every role, guidance. The same city every
//! time; only passwords and ids differ.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use suda_domain::guidance::Guidance;
use suda_domain::{BranchCode, Role};

use crate::admin::{AddStaffError, NewStaff, add_staff};
use crate::store::{Branch, Store};

pub const ORGANISATION: &str = "重庆通信（演示）";

const BRANCHES: [(&str, &str); 3] = [
    ("CQ0101", "解放碑营业厅"),
    ("CQ0102", "观音桥营业厅"),
    ("CQ0123", "南坪营业厅"),
];

/// Login, name, role, branch.
const STAFF: [(&str, &str, Role, Option<&str>); 17] = [
    ("admin", "系统管理员", Role::Administrator, None),
    ("lili", "李丽", Role::Clerk, Some("CQ0101")),
    ("wangfang", "王芳", Role::Clerk, Some("CQ0101")),
    ("zhaogang", "赵刚", Role::BranchManager, Some("CQ0101")),
    ("chenjing", "陈静", Role::Clerk, Some("CQ0102")),
    ("liuyang", "刘洋", Role::BranchManager, Some("CQ0102")),
    ("yangmin", "杨敏", Role::Clerk, Some("CQ0123")),
    ("huanglei", "黄磊", Role::BranchManager, Some("CQ0123")),
    ("zhouxue", "周雪", Role::Expert, None),
    ("wuhao", "吴昊", Role::Expert, None),
    ("zhengli", "郑莉", Role::Expert, None),
    ("wangluo", "网络部", Role::Department, None),
    ("jifei", "计费部", Role::Department, None),
    ("fuwu", "服务质量部", Role::Department, None),
    ("sunzong", "孙建国", Role::Management, None),
    ("qianzong", "钱慧", Role::Management, None),
    ("shenji", "何审", Role::Auditor, None),
];

/// Category, title, text, and what a branch may give in yuan.
const GUIDANCE: [(&str, &str, &str, Option<i64>); 12] = [
    (
        "A",
        "资费类通用口径",
        "1. 先打印或调出客户近 6 个月账单，逐项说明。\n2. 属系统或人工差错的，当场承认并说明退费时限。\n3. 不评价其他营业厅的解释，不承诺超出权限的减免。",
        Some(50),
    ),
    (
        "A.01.01",
        "扣费与告知不符",
        "1. 核对办理受理单和短信告知记录。\n2. 无告知凭证的，退还争议费用并恢复原套餐，24 小时内到账。\n3. 超过权限金额的，转专家团队。",
        Some(100),
    ),
    (
        "A.01.02",
        "话费突增",
        "1. 查询流量与语音详单，指出突增的日期和业务。\n2. 帮助关闭自动续订，设置用量提醒。\n3. 首次发生且非恶意的，可按套餐外费用的一半减免。",
        Some(100),
    ),
    (
        "A.02.02",
        "合约期与违约金",
        "1. 出示合约条款及剩余月份。\n2. 因网络覆盖不足要求解约的，不得当场收取违约金，转专家团队核查。\n3. 其余按合约计算，说明计算方法。",
        None,
    ),
    (
        "A.03.01",
        "国际漫游费争议",
        "1. 核对出入境时间与漫游详单。\n2. 未收到资费提醒短信的，转计费部核查。\n3. 核查期间不停机。",
        Some(200),
    ),
    (
        "B",
        "网络类通用口径",
        "1. 先致歉，记录地点、时间和现象。\n2. 查询故障公告，有公告的告知预计恢复时间。\n3. 需要上门的，当场约定时间。",
        None,
    ),
    (
        "B.01.01",
        "宽带断网",
        "1. 远程检测光猫与线路。\n2. 承诺 24 小时内修复；逾期按中断天数的两倍减免月费。\n3. 72 小时未修复的，转专家团队。",
        Some(60),
    ),
    (
        "B.02.01",
        "信号差或无信号",
        "1. 记录具体位置（楼层、房间）。\n2. 告知 3 个工作日内现场测试。\n3. 不承诺建站时间。",
        None,
    ),
    (
        "C.01.01",
        "擅自开通业务",
        "1. 当场取消并停止计费。\n2. 退还已收费用；确属营业员擅自办理的，加倍退还。\n3. 记录经办人，由店长复核。",
        Some(100),
    ),
    (
        "C.02.01",
        "销户受阻",
        "1. 客户结清费用即可销户，不得以任何理由拖延。\n2. 有合约的，说明违约金并由客户选择。\n3. 当场办结。",
        None,
    ),
    (
        "D",
        "服务类通用口径",
        "1. 由店长接待并致歉。\n2. 调阅监控和叫号记录。\n3. 3 个工作日内答复处理结果。",
        None,
    ),
    (
        "F.01.01",
        "个人信息泄露",
        "1. 不辩解、不推测来源。\n2. 记录客户掌握的证据，立即转专家团队。\n3. 提醒客户防范诈骗。",
        None,
    ),
];

/// An account as `init` reports it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Account {
    pub login: String,
    /// Absent when it was read from standard input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    pub role: Role,
    pub name: String,
    pub branch: Option<BranchCode>,
}

/// Fills an empty hub with the demo city. `admin_password` is the
/// administrator's when it was given.
pub async fn fill(
    store: &dyn Store,
    mut admin_password: Option<String>,
    now: DateTime<Utc>,
) -> Result<Vec<Account>, AddStaffError> {
    for (code, name) in BRANCHES {
        let code = code.parse().map_err(|_| AddStaffError::Branch)?;
        store
            .add_branch(&Branch {
                code,
                name: name.to_owned(),
                active: true,
            })
            .await?;
    }
    let mut accounts = Vec::with_capacity(STAFF.len());
    for (login, name, role, branch) in STAFF {
        let branch = branch
            .map(str::parse)
            .transpose()
            .map_err(|_| AddStaffError::Branch)?;
        let password = if role == Role::Administrator {
            admin_password.take()
        } else {
            None
        };
        let new = NewStaff {
            login: login.to_owned(),
            name: name.to_owned(),
            role,
            branch,
            password,
        };
        let added = add_staff(store, new).await?;
        accounts.push(Account {
            login: added.record.login,
            password: added.made_password,
            role,
            name: added.record.name,
            branch: added.record.branch,
        });
    }
    for (category, title, text, yuan) in GUIDANCE {
        let guidance = Guidance {
            category: category.to_owned(),
            version: 0,
            title: title.to_owned(),
            text: text.to_owned(),
            limit_minor: yuan.map(|yuan| yuan * 100),
        };
        store.put_guidance(&guidance, None, now).await?;
    }
    Ok(accounts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_city_has_every_role_and_guidance_for_known_categories() {
        for role in Role::ALL.into_iter().filter(|role| role.signs_in()) {
            assert!(
                STAFF.iter().any(|staff| staff.2 == role),
                "nobody is {}",
                role.name()
            );
        }
        let rules = suda_judge::RuleSet::parse(suda_judge::TELECOM).unwrap();
        for (category, ..) in GUIDANCE {
            assert!(
                rules.tree.get(category).is_some(),
                "{category} is no category"
            );
        }
    }
}
