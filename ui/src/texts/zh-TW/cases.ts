// The texts of zh-CN/cases.ts in Traditional Chinese; complete by type check.
import type { SameTexts } from '@/shared/texts'
import type {
  backlog as backlogReference,
  cases as casesReference,
  guidance as guidanceReference,
  receipt as receiptReference,
} from '../zh-CN/cases'

export const receipt: SameTexts<typeof receiptReference> = {
  recorded: '已登記，已存本機',
  handed_off: '複雜投訴：已轉派專家，連上中心後立即送達。',
  arrived: '複雜投訴：已轉派專家，已送達中心。',
  kept: '簡單投訴：請在櫃台按口徑處理並辦結。',
  next: '下一位',
  print: '列印憑證',
  open: '開啟這件投訴',
}

export const backlog: SameTexts<typeof backlogReference> = {
  scopes: '投訴範圍',
  total: '共 {n} 件',
  number: '編號 / 到店',
  what: '內容',
  grade: '級別',
  state: '狀態',
  clerk: '登記人',
  left: '剩餘時間',
  more: '顯示更多',
  empty: {
    open: '沒有待處理的投訴',
    with_experts: '沒有專家處理中的投訴',
    done: '還沒有辦完的投訴',
    all: '還沒有投訴',
    mine: '沒有指派給您的投訴',
  },
  empty_hint: '新來的客戶請按',
  assigned: '指派 {name}',
  follows: '隨主件答覆',
}

export const cases: SameTexts<typeof casesReference> = {
  back: '返回列表（Esc）',
  expert: '專家 {name}',
  returned: '專家退回原因',
  answer: '給客戶的答覆',
  timeline: '台帳',
  deadlines: '時限',
  receipt: '檢視憑證',
  cancel: '取消',
  settle: {
    button: '辦結',
    title: '櫃台辦結',
    lead: '按口徑向客戶說明並解決後，寫下簡要經過。',
    text: '處理經過',
    remedy: '處理結果',
    amount: '補償金額',
    over: '超過口徑允許的 {amount}，請說明依據，或轉派專家。',
    submit: '辦結',
  },
  hand_off: {
    button: '轉派專家',
    title: '轉派專家團隊',
    lead: '轉派後由專家負責，本廳只能新增備註。',
    text: '給專家的說明（可不填）',
    submit: '轉派',
  },
  note: {
    button: '備註',
    title: '新增備註',
    lead: '備註記入台帳，不能修改或刪除。',
    text: '備註內容',
    submit: '新增',
  },
  offline: '現在沒有連上中心：先存在本機，連上後自動送達。',
  breach: '超時原因：{cause}',
  follows: '隨同 {reference} 答覆',
  reply: {
    button: '答覆',
    title: '答覆提問',
    lead: '專家在等這個答覆。記入臺賬後不能修改。',
    text: '本廳瞭解的情況',
    text_customer: '客戶怎麼說（請用客戶的原話）',
    submit: '答覆',
  },
  progress: {
    title: '專家處理進度',
    unclaimed: '還沒有專家認領',
    departments: '協辦部門',
    paused: '時限暫停：{name}',
    since: '自 {at} 起',
    put_off: '答覆延期至 {at}',
    cycle: '第 {n} 輪辦理',
  },
  after: {
    title: '回訪與評價',
    by: '由 {name} 回訪',
    tried: '{at}：{outcome}',
  },
  assign: {
    button: '指派',
    title: '指派給本廳人員',
    lead: '投訴仍歸本廳，在所選人員的“指派給我”中列出。',
    who: '由誰處理',
    submit: '指派',
  },
  withdraw: {
    button: '撤訴',
    title: '客戶撤訴',
    lead: '撤訴後這件投訴即告結束。',
    text: '撤訴原因',
    submit: '確認撤訴',
  },
}

export const guidance: SameTexts<typeof guidanceReference> = {
  title: '處理口徑',
  search: '搜尋口徑',
  none: '沒有匹配的口徑',
  empty: '中心還沒有下發口徑',
}
