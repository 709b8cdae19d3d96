// Early warnings in English; complete by type check.
import type { SameTexts } from '@/shared/texts'
import type { consoleAlarms as reference } from '../../zh-CN/console/alarms'

export const consoleAlarms: SameTexts<typeof reference> = {
  explain: 'When several people complain of one matter, or a day brings more than usual, it appears here by itself. Counted by when customers came, so that records which arrive late raise nothing false.',
  views: 'Which alarms',
  view: { open: 'Open', closed: 'Closed' },
  look: 'Count now',
  looked: 'Counted: {n} new',
  more: 'More',
  empty: { open: 'No open alarms', closed: 'No closed alarms' },
  kind: { burst: 'One matter', surge: 'More than usual' },
  state: { raised: 'New', acknowledged: 'Acknowledged', explained: 'Explained', closed: 'Closed' },
  by: { city: 'whole city', branch: 'branch {key}', category: 'category {key}', product: 'product {key}' },
  untitled: 'Similar complaints',
  surge_title: '{day}, {by}',
  surge_figures: '{count}, usually about {expected}',
  reports: '{n} reports',
  branches: 'branches: {n}',
  last: '{hour} in the last hour, {day} in 24 hours',
  first: 'first {at}',
  raised_at: 'raised {at}',
  growth: 'Reports a day from {from} to {to}, {most} at most',
  say: 'Every counter is told to say',
  members: 'Complaints',
  members_own: 'Complaints of your branch',
  steps: 'What was done',
  no_steps: 'Nobody has seen to it yet',
  step: { acknowledge: 'Acknowledge', explain: 'Explain', close: 'Close' },
  did: { acknowledge: '{name} acknowledged it', explain: '{name} explained it', close: '{name} closed it' },
  explain_again: 'Explain anew',
  text: { acknowledge: 'Remark (optional)', explain: 'What counters tell the customer', close: 'Why it is closed' },
  hint: {
    acknowledge: 'You look after it.',
    explain: 'Every counter sees this sentence when somebody comes with the same matter. Name no customer.',
    close: 'Counters are told no more, and the alarm grows no more.',
  },
}
