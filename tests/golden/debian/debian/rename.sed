s,^\(\./\)*lib/,./usr/lib/,S
