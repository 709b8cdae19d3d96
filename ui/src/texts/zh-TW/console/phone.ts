// The texts of zh-CN/console/phone.ts in Traditional Chinese; complete by type check.
import type { SameTexts } from '@/shared/texts'
import type { consolePhone as reference } from '../../zh-CN/console/phone'

export const consolePhone: SameTexts<typeof reference> = {
  open: '登記電話轉交',
  title: '電話轉交',
  lead: '營業廳斷網時，營業員在電話裡念出代碼。先登記，真正的記錄到達後自動合併，備註不會遺失。',
  count: '{n} 件等待記錄到達',
  code: '代碼（8 個字元）',
  code_hint: '大小寫、空格都可以。念錯或輸錯會被發現。',
  branch: '營業廳代碼',
  arrived: '客戶到店時間',
  grade: '級別',
  note: '營業員說了什麼',
  note_hint: '記錄到達後成為這件投訴的備註',
  submit: '登記',
  held_by: '{name} 跟進',
  take: '由我跟進',
  line: {
    note: { button: '新增備註', text: '補充備註' },
    branch: { button: '更正營業廳', text: '正確的營業廳代碼' },
    close: { button: '關閉', text: '關閉原因' },
  },
  close_lead: '記錄不會再來時才關閉，例如客戶已撤回或重複來電。關閉後不再等待記錄，原因留存備查。',
  alarm: '打電話已過 {span}，記錄仍未到達，請聯絡營業廳',
  there: '這件投訴的記錄已經到達，已開啟。',
}
