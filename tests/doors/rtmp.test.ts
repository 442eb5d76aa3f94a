import net from 'node:net';
import { delay } from '../helpers/eventually';
import { RawConnection } from '../helpers/raw-http';
import { check } from './row';
import { publish, RTMP_ROWS } from './rows/rtmp';
import { describeDoor } from './suite';

const REFUSED = { body: /NetStream\.Publish\.BadName/ };

describeDoor(
  'the port where encoders publish',
  RTMP_ROWS,
  { place: ({ rtmpPort }) => ({ port: rtmpPort, isRaw: true }) },
  (house) => {
    it('refuses the token of an encoder to everybody else: it was used', async () => {
      const [encoder] = house().daemon.encoders('control');
      const url = encoder?.argv.find((arg) => arg.includes('token=')) ?? '';
      const token = /token=([^&]+)/.exec(url)?.[1] ?? '';
      expect(token.length).toBeGreaterThan(15);
      check(await house().send(publish(`control?token=${token}`)), REFUSED);
    });

    it('is there on loopback alone, and at one address of it', async () => {
      const socket = net.connect(house().daemon.rtmpPort, '127.0.0.2');
      const error = await new Promise<NodeJS.ErrnoException>((resolve) => socket.once('error', resolve));
      expect(error.code).toBe('ECONNREFUSED');
    });

    it('takes five hundred connections that say nothing, and lets them go', async () => {
      const port = house().daemon.rtmpPort;
      const idle = await Promise.all(Array.from({ length: 500 }, () => RawConnection.open(port)));
      await delay(1_000);
      expect(house().daemon.encoders('control')).toHaveLength(1);
      for (const connection of idle) connection.destroy();
    });
  },
);
