// 投訴預警（繁體），與 zh-CN 逐項相同。
import type { SameTexts } from '@/shared/texts'
import type { consoleAlarms as reference } from '../../zh-CN/console/alarms'

export const consoleAlarms: SameTexts<typeof reference> = {
  explain: '多人反映同一件事，或某天的投訴多於往日，會自動出現在這裡。按客戶到店的時間計算，晚到的記錄不會誤報。',
  views: '預警範圍',
  view: { open: '未關閉', closed: '已關閉' },
  look: '立即統計',
  looked: '統計完畢，新預警 {n} 條',
  more: '更多',
  empty: { open: '沒有未關閉的預警', closed: '沒有已關閉的預警' },
  kind: { burst: '同一事項', surge: '數量激增' },
  state: { raised: '待處理', acknowledged: '已認領', explained: '已說明', closed: '已關閉' },
  by: { city: '全市', branch: '營業廳 {key}', category: '類別 {key}', product: '產品 {key}' },
  untitled: '同類投訴',
  surge_title: '{day} {by}',
  surge_figures: '{count} 件，往日約 {expected} 件',
  reports: '{n} 件',
  branches: '{n} 個營業廳',
  last: '近 1 小時 {hour} 件，近 24 小時 {day} 件',
  first: '首件 {at}',
  raised_at: '預警於 {at}',
  growth: '每日件數，{from} 至 {to}，最多一天 {most} 件',
  say: '已告知各營業廳這樣答覆客戶',
  members: '相關投訴',
  members_own: '本廳的相關投訴',
  steps: '處理經過',
  no_steps: '還沒有人處理',
  step: { acknowledge: '認領', explain: '說明', close: '關閉' },
  did: { acknowledge: '{name} 認領', explain: '{name} 說明', close: '{name} 關閉' },
  explain_again: '更新說明',
  text: { acknowledge: '備註（可不填）', explain: '營業廳怎樣答覆客戶', close: '關閉原因' },
  hint: {
    acknowledge: '表示您來跟進。',
    explain: '遇到同一事項時，各營業廳錄入介面會顯示這句話。請勿寫客戶資訊。',
    close: '關閉後營業廳不再顯示說明，此預警不再增加。',
  },
}
