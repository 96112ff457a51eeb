/**
 * The client that both sides of the comparison wrap.
 *
 * @param Base the Base of sdk-base
 */
export function echoClient(Base) {
  return class EchoClient extends Base {
    constructor() {
      super();
      this.ready(true);
    }

    subscribe(registration, listener) {
      this.on(registration.key, listener);
    }

    publish({ key, value }) {
      this.emit(key, value);
    }

    async echo(value) {
      return value;
    }
  };
}
