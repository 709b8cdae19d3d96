// The texts of zh-CN/handover.ts in Traditional Chinese; complete by type check.
import type { SameTexts } from '@/shared/texts'
import type { handover as reference } from '../zh-CN/handover'

export const handover: SameTexts<typeof reference> = {
  go: '用檔案轉交',
  title: '斷網轉交',
  lead: '網路不通時，把還沒送達的記錄寫成加密檔案，用隨身碟或手機熱點送到中心。只有中心能讀。網路恢復後照常傳送，不會重複。',
  folder: '儲存到資料夾',
  folder_hint: '不填則存在本機資料目錄下的 bundles 資料夾',
  write: '寫出加密檔案',
  written: '已寫出 {events} 筆記錄（其中緊急 {urgent} 筆）',
  file: '檔案',
  nothing: '沒有等待傳送的記錄，全部已在中心。',
  left: '還有 {n} 筆沒裝下，匯入回執後再寫一次。',
  print: '列印轉交單',
  receipts: '匯入中心的回執檔案',
  confirmed: '中心已收到 {confirmed} 筆，還有 {left} 筆等待。',
  open: '返回這件投訴',
  slip: {
    title: '投訴斷網轉交單',
    number: '投訴編號',
    branch: '營業廳',
    desk: '櫃檯',
    arrived: '客戶到店',
    due: '一小時截止',
    grade: '級別',
    category: '類別',
    clerk: '登記人',
    file: '加密檔案',
    events: '檔案內記錄',
    steps: '怎樣轉交',
    step_1: '把加密檔案複製到隨身碟，或用手機熱點傳送到中心。',
    step_2: '打電話告訴專家團隊投訴編號和檔案名稱。',
    step_3: '中心匯入後，把回執檔案帶回本機匯入。',
    note: '本單不含客戶個人資訊。交接人簽名：',
    none: '尚未寫出',
  },
}
