// The Streamlit component: mounts the wall once, whatever is rerun around it.

const mounted = new WeakMap();

export default function wall({ parentElement, data }) {
  if (!mounted.has(parentElement)) {
    const life = { end: null, over: false };
    mounted.set(parentElement, life);
    const address = new URL(`${data.base ?? ''}/assets/js/wall.mjs`, document.baseURI);
    import(address).then(({ mount }) => {
      if (!life.over) life.end = mount(parentElement, data);
    }).catch((error) => {
      const place = parentElement.querySelector('#title');
      if (place) place.textContent = `${data.words.script_fault} ${error.message}`;
    });
  }
  return () => {
    const life = mounted.get(parentElement);
    if (!life) return;
    life.over = true;
    life.end?.();
    mounted.delete(parentElement);
  };
}
