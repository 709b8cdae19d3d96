// The texts of zh-CN/frame.ts in Traditional Chinese; complete by type check.
import type { SameTexts } from '@/shared/texts'
import type {
  door as doorReference,
  frame as frameReference,
} from '../zh-CN/frame'

export const door: SameTexts<typeof doorReference> = {
  failed: {
    title: '訴達現在打不開',
    lead: '已儲存的投訴都還在這台電腦上，沒有丟失。',
    again: '再試一次',
  },
  enrol: {
    title: '把這台電腦登記到中心',
    lead: '首次使用需要登記一次。登記碼由管理員在中心生成，10 分鐘內有效，只能用一次。',
    hub: '中心地址',
    hub_example: '例如 https://hub.example.cn',
    open: 'http:// 不加密，客戶的姓名和電話在網路上可被看到；請向管理員要 https:// 位址。',
    code: '登記碼',
    code_hint: '不區分大小寫，可直接貼上',
    submit: '登記',
    working: '正在登記',
  },
  sign_in: {
    title: '誰在當班？',
    password: '密碼',
    submit: '登入',
    other: '換一個人',
    nobody: '本廳還沒有可登入的人員，請聯絡管理員。',
  },
  lock: {
    title: '螢幕已鎖定',
    lead: '填寫中的內容已儲存，解鎖後可繼續。',
    submit: '解鎖',
    switch: '換人登入',
  },
}

export const frame: SameTexts<typeof frameReference> = {
  navigation: '主導航',
  record: '登記',
  backlog: '待辦',
  done: '已辦',
  guidance: '口徑',
  lock: '鎖定螢幕',
  switch: '換人登入',
  search: {
    label: '搜尋投訴',
    placeholder: '搜尋編號、電話、姓名或內容',
    none: '沒有找到',
  },
  status: {
    unsent: '已存本機：{n} 條未到中心，最早 {age}前',
    urgent: '其中轉派 {n} 條',
    all_at_hub: '全部已到中心',
    set_aside: '中心有 {n} 條記錄待核對，處理前以中心為準',
    last_receipt: '中心最近回執 {at}',
    clock_slow: '本機時鐘慢了 {span}，請在系統設定中開啟自動對時',
    clock_fast: '本機時鐘快了 {span}，請在系統設定中開啟自動對時',
    clock_harmless: '時限和記錄按中心時間計算，不受影響',
    clock_unconfirmed: '連上中心前按本機時鐘推算，連上後自動更正',
    trouble: {
      not_a_hub: '中心位址上應答的不是訴達中心，請檢查網路（例如上網登入頁）或聯絡管理員',
      foreign_hub: '應答的不是本機登記的中心，請聯絡管理員',
      not_known: '中心不認識這台電腦了，請聯絡管理員重新登記',
      old_copy: '本機資料是舊的副本，請聯絡管理員',
      version: '程式版本與中心不符，請聯絡管理員升級',
      failing: '中心出現故障，投訴已存本機，恢復後自動送達',
      log_differs: '本機與中心的記錄有差異，重讀後仍未消除，請聯絡管理員（本機投訴照常儲存和上報）',
    },
    safety: {
      no_room: '磁碟空間不足，暫時不能備份；記錄不受影響，請清理磁碟',
      backup_failed: '備份沒有成功，稍後自動重試；記錄不受影響',
      second_place: '第二備份位置寫不進去，請檢查那顆磁碟',
      damaged: '資料檔案有損壞，請關閉後重新開啟程式，會自動修復',
      journal: '未送達記錄的備用日誌寫不進去；記錄不受影響，請檢查磁碟',
      put_back: '資料檔案缺少最後的記錄，已自動補回',
      restored: '資料檔案曾損壞，已從備份復原，已儲存的內容都在',
      log_damaged: '資料中有一處損壞，已隔離；已儲存的內容均已復原，請核對尚未儲存的表單',
      awaits_hub: '資料檔案曾損壞或是舊的，已復原；其餘內容下次同步時由中心補齊',
    },
    failed: '狀態暫時讀不到',
    next: '最近時限 {left}',
    desk: '櫃台 {letter}',
    lan: { mailbox: '本廳信箱', member: '已連接本廳信箱', away: '本廳信箱沒有回應', open: '本廳網路' },
  },
  prompt: {
    title: '客戶已等 {minutes} 分鐘',
    text: '{reference} 還沒有辦結或轉派。',
    handed_off_title: '已自動轉派專家',
    handed_off: '{reference} 臨近一小時仍未辦結，已自動轉派。',
    escalated: '{reference} 的「{clock}」時限是 {due}。',
    question_title: '專家向本廳提問',
    question: '專家就 {reference} 向本廳提問，在等答覆。',
    open: '開啟投訴',
  },
}
