// Evidence files, at the desk and in the console.
import type { EvidenceKind } from '@/shared/types'

export const evidence = {
  title: '证据文件',
  add: '添加文件',
  drop: '拖入文件，或点击选择；图片可直接粘贴',
  hint: '图片、PDF 扫描件、录音，每个不超过 200 MB',
  none: '还没有证据文件',
  by: '{name} 于 {at} 添加',
  waiting: '等待上传',
  partly: '中心已收 {percent}%',
  at_hub: '已在中心',
  elsewhere: '在其他电脑或中心',
  needs_newer_hub: '中心版本较旧，暂不接收证据文件；文件已保存在本机',
  download: '下载',
  save: '另存',
  remove: '移除',
  open: '查看',
  adding: '正在添加…',
  kind: {
    photo: '照片',
    scan: '扫描件',
    audio: '录音',
    signature: '签名',
    other: '其他',
  } satisfies Record<EvidenceKind, string>,
}
