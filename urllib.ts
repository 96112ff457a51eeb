export * from 'urllib';
