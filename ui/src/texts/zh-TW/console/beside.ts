// 被投訴人與關聯投訴；對照 zh-CN 由型別檢查保證完整。
import type { SameTexts } from '@/shared/texts'
import type { consoleBeside as reference } from '../../zh-CN/console/beside'

export const consoleBeside: SameTexts<typeof reference> = {
  persons: '被投訴人',
  persons_hint: '被投訴人及其直屬上級看不到這件投訴，也不能處理。',
  nobody: '沒有登記被投訴人。',
  add_person: '登記被投訴人',
  add_hint: '登記後，此人及其各級上級立即看不到這件投訴；正在處理的會自動放回。',
  who: '誰',
  why: '原因',
  lift: '解除迴避',
  lift_title: '解除 {name} 的迴避',
  links: '關聯投訴',
  link: '關聯',
  typed: '受理時填寫：',
  part: '取消關聯',
  to: '對方編號',
  relation: '關係',
  relations: { duplicate: '重複登記', group: '群體投訴', repeat: '再次投訴', related: '相關' },
  relation_hint: {
    duplicate: '同一客戶同一件事；併入對方，隨對方一起答覆',
    group: '多位客戶同一件事；隨牽頭的一件一起答覆',
    repeat: '客戶就同一件事再次投訴；單獨處理',
    related: '供參考；單獨處理',
  },
  outgoing: { duplicate: '併入', group: '群體投訴，牽頭', repeat: '再次投訴自', related: '相關' },
  incoming: { duplicate: '併入本件', group: '群體投訴成員', repeat: '又有投訴', related: '相關' },
  follows: { duplicate: '已併入', group: '群體', repeat: '再次', related: '相關' },
  answer_along: '一併答覆（{n}）',
  answer_hint: '把本件的答覆逐件寫入隨同的投訴，每件單獨記帳、單獨通知客戶；規則不允許的會說明原因。',
  dialog: { add: '關聯', part: '取消關聯', answer: '一併答覆' },
  note: { add: '說明', part: '原因', answer: '為他們做了什麼' },
  outcome: { done: '已答覆', already: '此前已辦結', refused: '未答覆' },
}
