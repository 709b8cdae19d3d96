// Written answers for the customer: the panel of a case.
import type { SameTexts } from '@/shared/texts'
import type { consoleLetters as reference } from '../../zh-CN/console/letters'

export const consoleLetters: SameTexts<typeof reference> = {
  title: '答覆函',
  lead: '依已作出的答覆產生，每種只產生一次；產生後原樣保存，校驗值記入台帳。',
  kind_label: '版式',
  language_label: '語言',
  make: '產生',
  made: '已產生',
  open: '開啟',
  open_named: '開啟{what}',
  download: '下載',
  download_named: '下載{what}',
  by: '{name} 於 {at} 產生',
  cycle: '第 {n} 輪',
  checksum: '校驗值 {hash}',
  incomplete: '答覆缺少以下內容，不能產生：{parts}',
  part: {
    organisation: '單位名稱',
    branch: '受理據點',
    reference: '投訴編號',
    cycle: '輪次',
    document: '文件號',
    customer: '客戶姓名',
    reasons: '認定理由',
    text: '答覆內容',
    remedy: '處理方式',
    amount: '給付金額',
    measures: '措施',
    next_level: '下一級受理單位',
    next_level_until: '提出期限',
    contact: '聯絡方式',
    link: '狀態頁網址',
  },
  separator: '、',
}
