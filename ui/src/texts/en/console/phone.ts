// The texts of zh-CN/console/phone.ts in English; complete by type check.
import type { SameTexts } from '@/shared/texts'
import type { consolePhone as reference } from '../../zh-CN/console/phone'

export const consolePhone: SameTexts<typeof reference> = {
  open: 'Told by telephone',
  title: 'Told by telephone',
  lead: 'A branch without a network reads out a code. Note it here; when the record arrives the two are joined by themselves and the notes go along.',
  count: '{n} wait for their record',
  code: 'Code (8 characters)',
  code_hint: 'Small letters and spaces are fine. What was misheard or mistyped is found.',
  branch: 'Branch code',
  arrived: 'Customer arrived',
  grade: 'Grade',
  note: 'What the clerk tells',
  note_hint: 'Becomes a note of the complaint when its record arrives',
  submit: 'Open',
  held_by: '{name} looks after it',
  take: 'I look after it',
  line: {
    note: { button: 'Add a note', text: 'More of what was told' },
    branch: { button: 'Correct the branch', text: 'The right branch code' },
    close: { button: 'Close', text: 'Why it is closed' },
  },
  close_lead: 'Only when no record will come: the customer has withdrawn, say, or it was told twice. It waits for no record any more; the reason is kept.',
  alarm: 'Called {span} ago and still no record: ask the branch',
  there: 'The record of this complaint has arrived and is open.',
}
