// Written answers for the customer: the panel of a case.
import type { SameTexts } from '@/shared/texts'
import type { consoleLetters as reference } from '../../zh-CN/console/letters'

export const consoleLetters: SameTexts<typeof reference> = {
  title: 'Letter',
  lead: 'Made of the answer as it was given, each kind once. It is kept as made, and its checksum goes into the ledger.',
  kind_label: 'Form',
  language_label: 'Language',
  make: 'Make',
  made: 'Made',
  open: 'Open',
  open_named: 'Open {what}',
  download: 'Download',
  download_named: 'Download {what}',
  by: 'Made by {name}, {at}',
  cycle: 'Round {n}',
  checksum: 'Checksum {hash}',
  incomplete: 'The answer lacks what a letter must say: {parts}',
  part: {
    organisation: 'organisation',
    branch: 'branch',
    reference: 'reference number',
    cycle: 'round',
    document: 'document number',
    customer: 'customer’s name',
    reasons: 'reasons',
    text: 'text of the answer',
    remedy: 'remedy',
    amount: 'amount',
    measures: 'measures',
    next_level: 'next level',
    next_level_until: 'time limit',
    contact: 'contact',
    link: 'address of the status page',
  },
  separator: ', ',
}
