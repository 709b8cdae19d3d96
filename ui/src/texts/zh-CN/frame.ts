// Around the work: enrolment, sign-in, lock, navigation, status line, reminders.

export const door = {
  failed: {
    title: '诉达现在打不开',
    lead: '已保存的投诉都还在这台电脑上，没有丢失。',
    again: '再试一次',
  },
  enrol: {
    title: '把这台电脑登记到中心',
    lead: '首次使用需要登记一次。登记码由管理员在中心生成，10 分钟内有效，只能用一次。',
    hub: '中心地址',
    hub_example: '例如 https://hub.example.cn',
    open: 'http:// 不加密，客户的姓名和电话在网络上可被看到；请向管理员要 https:// 地址。',
    code: '登记码',
    code_hint: '不区分大小写，可直接粘贴',
    submit: '登记',
    working: '正在登记',
  },
  sign_in: {
    title: '谁在当班？',
    password: '密码',
    submit: '登录',
    other: '换一个人',
    nobody: '本厅还没有可登录的人员，请联系管理员。',
  },
  lock: {
    title: '屏幕已锁定',
    lead: '填写中的内容已保存，解锁后可继续。',
    submit: '解锁',
    switch: '换人登录',
  },
}

export const frame = {
  navigation: '主导航',
  record: '登记',
  backlog: '待办',
  done: '已办',
  guidance: '口径',
  lock: '锁定屏幕',
  switch: '换人登录',
  search: {
    label: '搜索投诉',
    placeholder: '搜索编号、电话、姓名或内容',
    none: '没有找到',
  },
  status: {
    unsent: '已存本机：{n} 条未到中心，最早 {age}前',
    urgent: '其中转派 {n} 条',
    all_at_hub: '全部已到中心',
    set_aside: '中心有 {n} 条记录待核对，处理前以中心为准',
    last_receipt: '中心最近回执 {at}',
    clock_slow: '本机时钟慢了 {span}，请在系统设置中打开自动对时',
    clock_fast: '本机时钟快了 {span}，请在系统设置中打开自动对时',
    clock_harmless: '时限和记录按中心时间计算，不受影响',
    clock_unconfirmed: '连上中心前按本机时钟推算，连上后自动更正',
    trouble: {
      not_a_hub: '中心地址上应答的不是诉达中心，请检查网络（例如上网登录页）或联系管理员',
      foreign_hub: '应答的不是本机登记的中心，请联系管理员',
      not_known: '中心不认识这台电脑了，请联系管理员重新登记',
      old_copy: '本机数据是旧的副本，请联系管理员',
      version: '程序版本与中心不符，请联系管理员升级',
      failing: '中心出现故障，投诉已存本机，恢复后自动送达',
    },
    failed: '状态暂时读不到',
    next: '最近时限 {left}',
    desk: '柜台 {letter}',
  },
  prompt: {
    title: '客户已等 {minutes} 分钟',
    text: '{reference} 还没有办结或转派。',
    handed_off_title: '已自动转派专家',
    handed_off: '{reference} 临近一小时仍未办结，已自动转派。',
    open: '打开投诉',
  },
}
