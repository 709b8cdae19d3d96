// After recording: receipt, backlog, one case, guidance.

export const receipt = {
  recorded: '已登记，已存本机',
  handed_off: '复杂投诉：已转派专家，连上中心后立即送达。',
  arrived: '复杂投诉：已转派专家，已送达中心。',
  kept: '简单投诉：请在柜台按口径处理并办结。',
  next: '下一位',
  print: '打印凭证',
  open: '打开这件投诉',
}

export const backlog = {
  scopes: '投诉范围',
  total: '共 {n} 件',
  number: '编号 / 到店',
  what: '内容',
  grade: '级别',
  state: '状态',
  clerk: '登记人',
  left: '剩余时间',
  more: '显示更多',
  empty: {
    open: '没有待处理的投诉',
    with_experts: '没有专家处理中的投诉',
    done: '还没有办完的投诉',
    all: '还没有投诉',
    mine: '没有指派给您的投诉',
  },
  empty_hint: '新来的客户请按',
  assigned: '指派 {name}',
  follows: '随主件答复',
}

export const cases = {
  back: '返回列表（Esc）',
  expert: '专家 {name}',
  returned: '专家退回原因',
  answer: '给客户的答复',
  timeline: '台账',
  deadlines: '时限',
  receipt: '查看凭证',
  cancel: '取消',
  settle: {
    button: '办结',
    title: '柜台办结',
    lead: '按口径向客户说明并解决后，写下简要经过。',
    text: '处理经过',
    remedy: '处理结果',
    amount: '补偿金额',
    over: '超过口径允许的 {amount}，请说明依据，或转派专家。',
    submit: '办结',
  },
  hand_off: {
    button: '转派专家',
    title: '转派专家团队',
    lead: '转派后由专家负责，本厅只能添加备注。',
    text: '给专家的说明（可不填）',
    submit: '转派',
  },
  note: {
    button: '备注',
    title: '添加备注',
    lead: '备注记入台账，不能修改或删除。',
    text: '备注内容',
    submit: '添加',
  },
  offline: '现在没有连上中心：先存在本机，连上后自动送达。',
  breach: '超时原因：{cause}',
  follows: '随同 {reference} 答复',
  reply: {
    button: '答复',
    title: '答复提问',
    lead: '专家在等这个答复。记入台账后不能修改。',
    text: '本厅了解的情况',
    text_customer: '客户怎么说（请用客户的原话）',
    submit: '答复',
  },
  progress: {
    title: '专家处理进度',
    unclaimed: '还没有专家认领',
    departments: '协办部门',
    paused: '时限暂停：{name}',
    since: '自 {at} 起',
    put_off: '答复延期至 {at}',
    cycle: '第 {n} 轮办理',
  },
  after: {
    title: '回访与评价',
    by: '由 {name} 回访',
    tried: '{at}：{outcome}',
  },
  assign: {
    button: '指派',
    title: '指派给本厅人员',
    lead: '投诉仍归本厅，在所选人员的“指派给我”中列出。',
    who: '由谁处理',
    submit: '指派',
  },
  withdraw: {
    button: '撤诉',
    title: '客户撤诉',
    lead: '撤诉后这件投诉即告结束。',
    text: '撤诉原因',
    submit: '确认撤诉',
  },
}

export const guidance = {
  title: '处理口径',
  search: '搜索口径',
  none: '没有匹配的口径',
  empty: '中心还没有下发口径',
}
