// An SMS centre for the tests: the npm package `smpp` behind a socket on
// loopback. What it gets it prints as lines of JSON; what it is to do it reads
// as lines of JSON:
//   {"do":"throttle","times":2}          the next two messages are throttled
//   {"do":"refuse","status":11,"times":1} the next message has this status
//   {"do":"slow","ms":500}               answers take this long from now on
//   {"do":"hang_up","times":1}           the next message ends the session unanswered
//   {"do":"receipt","id":"26","stat":"DELIVRD"}
//   {"do":"text","from":"8613800138000","text":"TS"}
//   {"do":"close"}                       every session is ended
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'

const require = createRequire(new URL('../../ui/package.json', import.meta.url))
const smpp = require('smpp')

const password = process.argv[2] ?? 'geheim'
const sessions = new Set()
const todo = { throttle: 0, refuse: 0, status: 0, hang_up: 0, slow: 0 }
// Small numbers read the same in both notations; a second argument starts higher.
let messages = Number(process.argv[3] ?? 25)

const print = (line) => process.stdout.write(`${JSON.stringify(line)}\n`)

function submitted(session, pdu) {
  const { message, udh } = pdu.short_message
  const headers = (udh ?? []).map((part) => Buffer.from(part).toString('hex'))
  const told = {
    got: 'submit',
    to: pdu.destination_addr,
    from: pdu.source_addr,
    text: typeof message === 'string' ? message : Buffer.from(message).toString('hex'),
    udh: headers,
    coding: pdu.data_coding,
    esm: pdu.esm_class,
    registered: pdu.registered_delivery,
  }
  if (todo.hang_up > 0) {
    todo.hang_up -= 1
    print({ ...told, then: 'hang_up' })
    session.destroy()
    return
  }
  let status = 0
  if (todo.throttle > 0) {
    todo.throttle -= 1
    status = smpp.ESME_RTHROTTLED
  } else if (todo.refuse > 0) {
    todo.refuse -= 1
    status = todo.status
  }
  // The answer names the message in hexadecimal digits, receipts in decimal ones.
  messages += 1
  const id = status === 0 ? messages.toString(16) : ''
  print({ ...told, status, id: status === 0 ? String(messages) : '' })
  const answer = pdu.response({ command_status: status, message_id: id })
  setTimeout(() => session.send(answer), todo.slow)
}

const server = smpp.createServer((session) => {
  session.on('error', () => {})
  session.on('bind_transceiver', (pdu) => {
    const fits = pdu.password === password
    print({ got: 'bind', system_id: pdu.system_id, version: pdu.interface_version, fits })
    if (!fits) {
      session.send(pdu.response({ command_status: smpp.ESME_RINVPASWD }))
      session.close()
      return
    }
    session.send(pdu.response({ system_id: 'tests' }))
    sessions.add(session)
  })
  session.on('submit_sm', (pdu) => submitted(session, pdu))
  session.on('enquire_link', (pdu) => session.send(pdu.response()))
  session.on('unbind', (pdu) => session.send(pdu.response()))
  session.on('close', () => {
    sessions.delete(session)
    print({ got: 'close' })
  })
})

function deliver(values) {
  for (const session of sessions) {
    session.deliver_sm(values, (answer) => {
      print({ got: 'delivered', status: answer.command_status })
    })
    return
  }
  print({ got: 'nobody' })
}

function act(order) {
  switch (order.do) {
    case 'throttle':
    case 'hang_up':
      todo[order.do] = order.times
      break
    case 'refuse':
      todo.refuse = order.times
      todo.status = order.status
      break
    case 'slow':
      todo.slow = order.ms
      break
    case 'receipt':
      deliver({
        esm_class: 4,
        source_addr: '8613800138000',
        short_message: `id:${order.id} sub:001 dlvrd:001 submit date:2607211000 done date:2607211001 stat:${order.stat} err:000 text:`,
      })
      break
    case 'text':
      deliver({ source_addr: order.from, short_message: order.text })
      break
    case 'close':
      for (const session of sessions) session.destroy()
      break
  }
}

createInterface({ input: process.stdin }).on('line', (line) => act(JSON.parse(line)))
// The test has gone, however it went.
process.stdin.on('end', () => process.exit(0))

server.listen(0, '127.0.0.1', () => print({ got: 'listening', port: server.address().port }))
