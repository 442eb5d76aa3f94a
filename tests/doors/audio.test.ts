import { AUDIO_ROWS } from './rows/audio';
import { describeDoor } from './suite';

describeDoor('the audio door, by POST', AUDIO_ROWS);
