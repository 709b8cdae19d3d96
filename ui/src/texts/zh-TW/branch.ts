// The branch's own network.
import type { SameTexts } from '@/shared/texts'
import type { branch as reference } from '../zh-CN/branch'

export const branch: SameTexts<typeof reference> = {
  title: '本廳網路',
  lead: '中心連不上時，本廳各台電腦透過一台“信箱”共用同一份待辦；任何一台連上中心，由信箱代為送達。是否“已到中心”，仍以中心回執為準。',
  role: {
    alone: '這台電腦沒有加入本廳網路',
    mailbox: '這台電腦是本廳信箱',
    member: '這台電腦使用本廳信箱',
  },
  address: '位址 {address}',
  connected: '信箱已連接',
  away: '信箱沒有回應，恢復後自動連接',
  trouble: {
    other_key: '這個位址上是另一台電腦，沒有向它傳送任何內容。請重新配對。',
    not_paired: '信箱已解除與這台電腦的配對，請重新配對。',
    version: '兩台電腦的程式版本不相容，請升級較舊的一台。',
  },
  desks: '已配對的電腦',
  desk: '櫃台 {letter}',
  waiting: '{n} 批待送中心',
  none: '還沒有配對的電腦',
  serve: '讓這台電腦當信箱',
  code: '顯示配對碼',
  code_lead: '在要加入的電腦上輸入這個配對碼，10 分鐘內有效，只能用一次：',
  join: '加入信箱',
  join_address: '信箱位址',
  join_example: '例如 192.168.1.20',
  join_code: '配對碼',
  find: '尋找本廳信箱',
  none_found: '沒有找到。信箱開著嗎？也可以直接輸入它的位址。',
  end: '解除配對',
  end_lead: '櫃台 {letter} 不再能連接這台信箱，也看不到本廳待辦；它已交來的記錄仍會送到中心。',
  leave: '退出本廳網路',
  manager: '只有店長可以更改。',
}
