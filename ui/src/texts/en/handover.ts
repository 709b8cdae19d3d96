// The texts of zh-CN/handover.ts in English; complete by type check.
import type { SameTexts } from '@/shared/texts'
import type { handover as reference } from '../zh-CN/handover'

export const handover: SameTexts<typeof reference> = {
  go: 'Hand over by file',
  title: 'Handover without a network',
  lead: 'While the network is away, write everything not yet delivered into a sealed file and bring it to the hub on a stick or over a phone. Only the hub can read it. When the network is back everything is sent as usual; nothing is doubled.',
  folder: 'Save in the folder',
  folder_hint: 'Left empty: the folder bundles beside the data on this PC',
  write: 'Write the sealed file',
  written: '{events} records are written, {urgent} of them urgent',
  file: 'File',
  nothing: 'Nothing waits to be sent; everything is at the hub.',
  left: '{n} did not fit: write another file once the receipts are in.',
  print: 'Print the slip',
  receipts: "Take in the hub's receipts",
  confirmed: 'The hub has {confirmed} more, {left} still wait.',
  open: 'Back to the complaint',
  slip: {
    title: 'Handover slip',
    number: 'Complaint number',
    branch: 'Branch',
    desk: 'Desk',
    arrived: 'Customer arrived',
    due: 'The hour ends',
    grade: 'Grade',
    category: 'Category',
    clerk: 'Recorded by',
    file: 'Sealed file',
    events: 'Records in it',
    steps: 'What to do',
    step_1: 'Copy the sealed file to a stick, or send it to the centre over a phone.',
    step_2: 'Call the expert team and tell them the complaint number and the name of the file.',
    step_3: 'When the centre has taken it in, bring its receipt file back to this PC.',
    note: "Nothing of the customer's stands here. Handed over by:",
    none: 'not written yet',
  },
}
