// Evidence files, at the desk and in the console.
import type { EvidenceKind } from '@/shared/types'

export const evidence = {
  title: 'Evidence',
  add: 'Add files',
  drop: 'Drop files here or click to choose; pictures can be pasted',
  hint: 'Pictures, PDF scans and recordings, up to 200 MB each',
  none: 'No evidence yet',
  by: 'Added by {name}, {at}',
  waiting: 'waiting',
  partly: '{percent} % at the hub',
  at_hub: 'at the hub',
  elsewhere: 'on another computer or at the hub',
  needs_newer_hub: 'The hub is of an older version and takes no evidence yet; the files are kept here',
  download: 'Download',
  save: 'Save as',
  remove: 'Remove',
  open: 'View',
  adding: 'Adding…',
  kind: {
    photo: 'Photo',
    scan: 'Scan',
    audio: 'Recording',
    signature: 'Signature',
    other: 'Other',
  } satisfies Record<EvidenceKind, string>,
}
