// A Helia node on loopback: Yamux over TCP or WebSocket, Noise or TLS; no bootstrap, no DHT, no gateways.
// Its argument is JSON: {"security": ["noise"], "websocket": false}.
// Obeys one JSON request a line on stdin and answers each with one JSON line on stdout; ends with stdin.
import { createReadStream, createWriteStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createHeliaLight } from 'helia'
import { withBitswap } from '@helia/bitswap'
import { withLibp2pLight } from '@helia/libp2p'
import { unixfs } from '@helia/unixfs'
import { tcp } from '@libp2p/tcp'
import { tls } from '@libp2p/tls'
import { webSockets } from '@libp2p/websockets'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { identify } from '@libp2p/identify'
import { ping } from '@libp2p/ping'
import { multiaddr } from '@multiformats/multiaddr'
import { CID } from 'multiformats/cid'

const { security, websocket } = JSON.parse(process.argv[2])
const channels = { noise, tls }

const helia = withBitswap(withLibp2pLight(createHeliaLight(), {
  addresses: { listen: [websocket ? '/ip4/127.0.0.1/tcp/0/ws' : '/ip4/127.0.0.1/tcp/0'] },
  transports: [websocket ? webSockets() : tcp()],
  connectionEncrypters: security.map(name => channels[name]()),
  streamMuxers: [yamux()],
  services: { identify: identify(), ping: ping() }
}))
await helia.start()
const files = unixfs(helia)
const libp2p = helia.libp2p

const commands = {
  id: async () => ({ peer: libp2p.peerId.toString(), addresses: libp2p.getMultiaddrs().map(String) }),

  dial: async ({ address }) => ({ peer: (await libp2p.dial(multiaddr(address))).remotePeer.toString() }),

  ping: async ({ address }) => ({ milliseconds: await libp2p.services.ping.ping(multiaddr(address)) }),

  peers: async () => ({ peers: libp2p.getPeers().map(String) }),

  connections: async ({ peer }) => ({
    count: libp2p.getConnections().filter(({ remotePeer }) => remotePeer.toString() === peer).length
  }),

  // What a connected peer told of itself by identify.
  agent: async ({ peer }) => {
    const known = (await libp2p.peerStore.all()).find(({ id }) => id.toString() === peer)
    const value = known?.metadata.get('AgentVersion')
    return { agent: value == null ? null : new TextDecoder().decode(value) }
  },

  add: async ({ path }) => {
    const cid = await files.addByteStream(createReadStream(path, { highWaterMark: 1 << 20 }))
    return { cid: cid.toString() }
  },

  fetch: async ({ cid, path }) => {
    const out = createWriteStream(path)
    const hash = createHash('sha256')
    let size = 0
    for await (const chunk of files.cat(CID.parse(cid))) {
      hash.update(chunk)
      size += chunk.byteLength
      if (!out.write(chunk)) await once(out, 'drain')
    }
    out.end()
    await once(out, 'finish')
    return { size, sha256: hash.digest('hex') }
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const { command, ...parameters } = JSON.parse(line)
  let answer
  try {
    answer = await commands[command](parameters)
  } catch (error) {
    answer = { error: String(error) }
  }
  process.stdout.write(JSON.stringify(answer) + '\n')
}
process.exit(0)
