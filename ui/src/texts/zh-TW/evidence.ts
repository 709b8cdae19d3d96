// Evidence files, at the desk and in the console.
import type { EvidenceKind } from '@/shared/types'

export const evidence = {
  title: '證據檔案',
  add: '加入檔案',
  drop: '拖入檔案，或點擊選擇；圖片可直接貼上',
  hint: '圖片、PDF 掃描檔、錄音，每個不超過 200 MB',
  none: '還沒有證據檔案',
  by: '{name} 於 {at} 加入',
  waiting: '等待上傳',
  partly: '中心已收 {percent}%',
  at_hub: '已在中心',
  elsewhere: '在其他電腦或中心',
  needs_newer_hub: '中心版本較舊，暫不接收證據檔案；檔案已保存在本機',
  download: '下載',
  save: '另存',
  remove: '移除',
  open: '檢視',
  adding: '正在加入…',
  kind: {
    photo: '照片',
    scan: '掃描檔',
    audio: '錄音',
    signature: '簽名',
    other: '其他',
  } satisfies Record<EvidenceKind, string>,
}
