// The branch's own network.
import type { SameTexts } from '@/shared/texts'
import type { branch as reference } from '../zh-CN/branch'

export const branch: SameTexts<typeof reference> = {
  title: 'Branch network',
  lead: 'While the hub cannot be reached, the computers of the branch share one backlog through one of them, the mailbox; as soon as it reaches the hub it delivers for all. “At the hub” is still said by the hub’s receipt alone.',
  role: {
    alone: 'This computer takes no part in the branch network',
    mailbox: 'This computer is the mailbox of the branch',
    member: 'This computer uses the mailbox of the branch',
  },
  address: 'Address {address}',
  connected: 'The mailbox is connected',
  away: 'The mailbox does not answer; it is connected again by itself',
  trouble: {
    other_key: 'Another computer answers at this address; nothing was sent to it. Pair again.',
    not_paired: 'The mailbox has ended the pairing with this computer. Pair again.',
    version: 'The programs of the two computers do not fit. Update the older one.',
  },
  desks: 'Paired computers',
  desk: 'Desk {letter}',
  waiting: '{n} batches wait for the hub',
  none: 'No computer is paired yet',
  serve: 'Make this computer the mailbox',
  code: 'Show a pairing code',
  code_lead: 'Type this code at the computer that joins; it is good for 10 minutes and one computer:',
  join: 'Join a mailbox',
  join_address: 'Address of the mailbox',
  join_example: 'such as 192.168.1.20',
  join_code: 'Pairing code',
  find: 'Find the mailbox of this branch',
  none_found: 'None found. Is it switched on? Its address can be typed as well.',
  end: 'End the pairing',
  end_lead: 'Desk {letter} can no longer reach this mailbox or see the backlog through it; what it has left here still goes to the hub.',
  leave: 'Leave the branch network',
  manager: 'Only the branch manager can change this.',
}
